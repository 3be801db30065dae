import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../../lab/cluster/binaries.ts';
import { type ClusterDescription, fabricOf } from '../../lab/cluster/description.ts';
import type { Passage } from '../../lab/cluster/knative/network/network-layer.ts';
import { Lines } from '../../lab/cluster/lines.ts';

const LOOK_EVERY_MS = 25;

/** What the network layer says of each event on its way to a function and back. */
export class Passages implements AsyncDisposable {
  readonly #seen: Passage[] = [];
  readonly #followed: Lines;

  constructor({ testbed, kubeconfig }: ClusterDescription) {
    const logs = ['logs', '-n', 'knative-serving', 'deployment/network-layer', '-f', '--since=1s'];
    const kubectl = [binary('kubectl'), `--kubeconfig=${kubeconfig}`, ...logs];
    this.#followed = new Lines(['ip', 'netns', 'exec', fabricOf(testbed), ...kubectl], (line) => {
      if (line.startsWith('{')) this.#seen.push(JSON.parse(line) as Passage);
    });
  }

  /** The first event that reached a function since a time, once it has been answered. */
  async first(service: string, since: number, signal: AbortSignal): Promise<Passage> {
    for (;;) {
      const found = this.#seen.find(({ host, at }) => host.startsWith(`${service}.`) && Date.parse(at) >= since);
      if (found !== undefined) return found;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#followed[Symbol.asyncDispose]();
  }
}
