import type { Cluster } from './cluster.ts';
import type { Log } from './log.ts';
import type { KubernetesObject } from './objects.ts';

/** Runs the actors' procedures, one per object from its appearance to its end, and keeps count of them. */
export class Lives {
  readonly #running = new Set<Promise<void>>();
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #signal: AbortSignal;

  constructor(cluster: Cluster, log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
    this.#signal = signal;
  }

  /** Starts `life` once for each object that `select` gives, now or later; `key` tells what counts as once. */
  onEach<T extends KubernetesObject>(
    select: () => T[],
    life: (object: T) => Promise<void>,
    key: (object: T) => string = ({ metadata }) => metadata.uid,
  ): void {
    const started = new Set<string>();
    this.#cluster.onChange(() => {
      for (const object of select()) {
        if (started.has(key(object))) continue;
        started.add(key(object));
        this.start(`${object.metadata.namespace}/${object.metadata.name}`, () => life(object));
      }
    }, this.#signal);
  }

  /** Starts `life`, which may reject on shutdown; any other error of it is reported. */
  start(name: string, life: () => Promise<void>): void {
    const running = life()
      .catch((error: unknown) => this.#report(name, error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when all procedures have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #report(name: string, error: unknown): void {
    if (this.#signal.aborted) return;
    this.#log('error', { name, message: String(error) });
    console.error(`kubevirt: ${name}:`, error);
  }
}
