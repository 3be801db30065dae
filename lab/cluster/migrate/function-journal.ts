import { setTimeout as sleep } from 'node:timers/promises';
import { type Entry, openJournal } from '../../knative/journal.ts';
import type { Cluster } from '../../kubevirt/cluster.ts';
import type { Pod } from '../../kubevirt/objects.ts';
import { binary } from '../binaries.ts';
import { type ClusterDescription, fabricOf } from '../description.ts';
import type { Passage } from '../knative/network/network-layer.ts';
import { Lines } from '../lines.ts';

const NAMESPACE = 'ovn-handover';
const SERVICE = 'serving.knative.dev/service';
const AGAIN_AFTER_MS = 500;

/**
 * Writes what the functions are asked and answer, and when they are started, as the lab's Knative tells it of itself: so both are read
 * alike. Requests are those of the network layer's log, starts those that the API server shows.
 */
export class FunctionJournal {
  readonly #cluster: ClusterDescription;
  readonly #file: ReturnType<typeof openJournal>;
  readonly #stopped = new AbortController();
  /** When each pod of a function was first seen, by its uid; none once it was Ready. */
  readonly #starting = new Map<string, number | undefined>();
  /** Requests that were written, since a log that is followed anew may begin with them. */
  readonly #written = new Set<string>();
  #followed: Lines | undefined;

  constructor(cluster: ClusterDescription, watched: Cluster, file: string) {
    this.#cluster = cluster;
    this.#file = openJournal(file);
    watched.onChange(() => this.#lookAtPods(watched), this.#stopped.signal);
    void this.#followNetworkLayer();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#followed?.[Symbol.asyncDispose]();
    this.#file.close();
  }

  #lookAtPods(watched: Cluster): void {
    for (const { metadata, status } of watched.pods.all()) {
      const name = metadata.labels?.[SERVICE];
      if (metadata.namespace !== NAMESPACE || name === undefined) continue;
      if (!this.#starting.has(metadata.uid)) this.#starting.set(metadata.uid, Date.now());
      const since = this.#starting.get(metadata.uid);
      if (since === undefined || !isReady(status)) continue;
      this.#starting.set(metadata.uid, undefined);
      this.#write({ kind: 'coldStart', function: name, ms: Date.now() - since });
    }
  }

  /** Its pod may be replaced, and then another one has the log. */
  async #followNetworkLayer(): Promise<void> {
    const { testbed, kubeconfig } = this.#cluster;
    const logs = ['-n', 'knative-serving', 'logs', '-l', 'app=network-layer', '-f', '--tail=-1', '--since=10s'];
    const kubectl = [binary('kubectl'), `--kubeconfig=${kubeconfig}`, ...logs];
    while (!this.#stopped.signal.aborted) {
      this.#followed = new Lines(['ip', 'netns', 'exec', fabricOf(testbed), ...kubectl], (line) => this.#request(line));
      await this.#followed.ended;
      await sleep(AGAIN_AFTER_MS);
    }
  }

  #request(line: string): void {
    if (!line.startsWith('{') || this.#written.has(line)) return;
    this.#written.add(line);
    const { host, at, ms, status, eventId, eventType, error } = JSON.parse(line) as Passage;
    const [name, namespace] = host.split('.');
    if (namespace !== NAMESPACE) return;
    const answeredAt = new Date(Date.parse(at) + ms).toISOString();
    const request = { function: name, status, ms, eventId, type: eventType, body: error };
    this.#write({ kind: 'delivery', ...request, at: answeredAt });
  }

  #write(entry: Entry & { readonly at?: string }): void {
    if (!this.#stopped.signal.aborted) this.#file.write(entry);
  }
}

function isReady(status: Pod['status']): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
