import type { KubeConfig } from '@kubernetes/client-node';
import { changeEvent } from './change-event.ts';
import { EventStream, type EventStreamOptions } from './event-stream.ts';
import { ResourceWatch } from './resource-watch.ts';
import type { SourceSpec } from './source-spec.ts';

/**
 * The stand-in for the receive adapter of an ApiServerSource: changes in, CloudEvents out. Ordered within a resource,
 * not between resources; nothing for what was there before.
 */
export class ApiServerSource {
  readonly #watches: readonly ResourceWatch[];
  readonly #streams: readonly EventStream[];

  /** @param config - Of the API server that is watched. */
  constructor(spec: SourceSpec, config: KubeConfig, options: Omit<EventStreamOptions, 'namespace'>) {
    const server = config.getCurrentCluster()?.server ?? '';
    const pairs = spec.resources.map((resource) => {
      const stream = new EventStream({ ...options, namespace: spec.namespace });
      const watch = new ResourceWatch(resource, config, (action, object) => {
        stream.push(changeEvent(server, action, object, spec.extensions));
      });
      return { watch, stream };
    });
    this.#watches = pairs.map(({ watch }) => watch);
    this.#streams = pairs.map(({ stream }) => stream);
  }

  /** Resolves when all watches stand. */
  async start(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
    await Promise.all(this.#streams.map((stream) => stream.stop()));
  }
}
