import {
  type KubernetesObject as AnyObject,
  type Informer,
  type KubeConfig,
  type KubernetesListObject,
  makeInformer,
} from '@kubernetes/client-node';
import type { KubernetesObject } from './objects.ts';

const RECONNECT_MS = 500;

/** All objects of one kind as last seen by a watch. */
export class Watched<T extends KubernetesObject> {
  readonly #informer: Informer<AnyObject>;
  readonly #objects = new Map<string, T>();
  readonly #changed: () => void;
  #reconnect: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param changed is called after each change, synchronously: what came and went at once is seen in between. */
  constructor(config: KubeConfig, path: string, list: () => Promise<unknown>, changed: () => void) {
    this.#changed = changed;
    this.#informer = makeInformer(config, path, list as () => Promise<KubernetesListObject<AnyObject>>);
    this.#informer.on('add', (object) => this.#set(object));
    this.#informer.on('update', (object) => this.#set(object));
    this.#informer.on('delete', (object) => this.#delete(object));
    // The informer gives up on an error and leaves it to its owner to start again.
    this.#informer.on('error', (error) => {
      if (this.#stopped) return;
      console.error(`kubevirt: the watch of ${path} failed and starts again: ${error}`);
      this.#reconnect = setTimeout(() => this.#informer.start(), RECONNECT_MS);
    });
  }

  async start(): Promise<void> {
    await this.#informer.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#reconnect);
    await this.#informer.stop();
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** The same object in its latest state; `undefined` if it is gone, or another one has its name. */
  latest(object: KubernetesObject): T | undefined {
    const found = this.get(object.metadata.namespace, object.metadata.name);
    return found?.metadata.uid === object.metadata.uid ? found : undefined;
  }

  /** Whether the watch has shown this state of an object, or a later one; also when it is gone. */
  hasSeen(written: KubernetesObject | undefined): boolean {
    const latest = written && this.latest(written);
    if (latest === undefined) return true;
    return Number(latest.metadata.resourceVersion) >= Number(written?.metadata.resourceVersion);
  }

  #set(object: AnyObject): void {
    this.#objects.set(keyOf(object), object as unknown as T);
    this.#changed();
  }

  #delete(object: AnyObject): void {
    this.#objects.delete(keyOf(object));
    this.#changed();
  }
}

function keyOf({ metadata }: AnyObject): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
