import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KubeConfig, Watch } from '@kubernetes/client-node';
import type { ClusterDescription } from './description.ts';

/** What takes part in a migration. Hotplug pods are virt-launcher pods' companions. */
const KINDS: readonly { readonly path: string; readonly query?: Readonly<Record<string, string>> }[] = [
  { path: '/api/v1/pods', query: { labelSelector: 'kubevirt.io in (virt-launcher,hotplug-disk)' } },
  { path: '/apis/kubevirt.io/v1/virtualmachines' },
  { path: '/apis/kubevirt.io/v1/virtualmachineinstances' },
  { path: '/apis/kubevirt.io/v1/virtualmachineinstancemigrations' },
];

interface Recorded {
  readonly metadata: { readonly managedFields?: readonly ManagedFields[] } & Readonly<Record<string, unknown>>;
}

interface ManagedFields {
  readonly manager?: string;
  readonly time?: string;
}

/**
 * Writes every change of KubeVirt's objects and their pods as a line of JSON, in the order in which they are seen: seconds from the
 * first, the type of the watch event, who wrote it, and the object.
 */
export class Recording {
  readonly #file: WriteStream;
  readonly #watches: AbortController[] = [];
  #first: number | undefined;

  static async start(cluster: Pick<ClusterDescription, 'kubeconfig'>, file: string): Promise<Recording> {
    await mkdir(dirname(file), { recursive: true });
    const config = new KubeConfig();
    config.loadFromString(await readFile(cluster.kubeconfig, 'utf8'));
    const recording = new Recording(file);
    const watch = new Watch(config);
    for (const { path, query = {} } of KINDS) {
      const add = (type: string, object: Recorded) => recording.#add(type, object);
      recording.#watches.push(await watch.watch(path, query, add, (error) => recording.#ended(path, error)));
    }
    return recording;
  }

  private constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch.abort();
    await new Promise((resolve) => this.#file.end(resolve));
  }

  #add(type: string, object: Recorded): void {
    this.#first ??= Date.now();
    const t = (Date.now() - this.#first) / 1000;
    const { managedFields = [], ...metadata } = object.metadata;
    const writer = lastOf(managedFields)?.manager;
    this.#file.write(`${JSON.stringify({ t, type, writer, object: { ...object, metadata } })}\n`);
  }

  /** A recording with a gap would be taken for what KubeVirt does. */
  #ended(path: string, error: unknown): void {
    if (this.#watches.length === 0) return;
    console.error(`record: the watch of ${path} has ended (${error}); what came after it is missing.`);
    process.exitCode = 1;
  }
}

function lastOf(fields: readonly ManagedFields[]): ManagedFields | undefined {
  return fields.toSorted((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1);
}
