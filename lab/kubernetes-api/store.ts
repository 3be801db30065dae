import { expired, tooLargeResourceVersion } from './errors.ts';
import type { KubernetesObject } from './object.ts';
import type { Resource } from './resources.ts';
import type { Matcher } from './selectors.ts';

/** One write. `previous` is the object before it, `object` after it (for a deletion: as it was, with the new version). */
export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubernetesObject;
  readonly previous?: KubernetesObject;
}

/**
 * All objects, one monotonic resourceVersion over all of them, and the last writes for watches to resume from.
 * Stored objects are never changed in place: writers hand over a new object, readers must not modify what they get.
 */
export class Store {
  #version = 1;
  #history: Change[] = [];
  readonly #objects = new Map<Resource, Map<string, KubernetesObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #historyLimit: number;

  /** @param historyLimit how many writes are kept; a watch from before them is answered with 410. */
  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit;
  }

  /** resourceVersion of the last write. */
  get version(): number {
    return this.#version;
  }

  get(resource: Resource, namespace: string, name: string): KubernetesObject | undefined {
    return this.#of(resource).get(key(namespace, name));
  }

  /** In the order of etcd's keys: namespace, then name. */
  list(resource: Resource, matches: Matcher = () => true): KubernetesObject[] {
    return [...this.#of(resource)]
      .filter(([, object]) => matches(object))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  /** Writes the object under a new resourceVersion and returns what is stored. */
  put(resource: Resource, object: KubernetesObject): KubernetesObject {
    const at = keyOf(object);
    const previous = this.#of(resource).get(at);
    const stored = this.#versioned(object);
    this.#of(resource).set(at, stored);
    this.#record(
      previous
        ? { version: this.#version, type: 'MODIFIED', resource, object: stored, previous }
        : { version: this.#version, type: 'ADDED', resource, object: stored },
    );
    return stored;
  }

  /** Removes the object; `last` is how it looked at that moment. */
  remove(resource: Resource, last: KubernetesObject): KubernetesObject {
    const previous = this.#of(resource).get(keyOf(last));
    if (!previous) throw new Error(`${resource.plural} ${keyOf(last)} is not stored, so it cannot be removed`);
    const object = this.#versioned(last);
    this.#of(resource).delete(keyOf(last));
    this.#record({ version: this.#version, type: 'DELETED', resource, object, previous });
    return object;
  }

  /**
   * Writes after `version`, oldest first.
   * @throws ApiError 410 when they are no longer all kept, 504 when the version is still to come.
   */
  since(version: number): Change[] {
    if (version > this.#version) throw tooLargeResourceVersion(version, this.#version);
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (version < oldest - 1) throw expired(version, oldest);
    return this.#history.filter((change) => change.version > version);
  }

  /** Calls back on every write until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #of(resource: Resource): Map<string, KubernetesObject> {
    let objects = this.#objects.get(resource);
    if (!objects) {
      objects = new Map();
      this.#objects.set(resource, objects);
    }
    return objects;
  }

  #versioned(object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #record(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > this.#historyLimit) this.#history.shift();
    for (const listener of [...this.#listeners]) listener(change);
  }
}

const key = (namespace: string, name: string): string => `${namespace}/${name}`;

const keyOf = ({ metadata }: KubernetesObject): string => key(metadata.namespace ?? '', metadata.name ?? '');
