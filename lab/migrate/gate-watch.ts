import type { Cluster } from '../kubevirt/cluster.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import type { VirtualMachineInstanceMigration } from '../kubevirt/objects.ts';

/** Which scheduling gates a migration's target pod has had, from when on. */
export class GateWatch {
  readonly #seen: { readonly at: number; readonly held: readonly string[] }[] = [];
  readonly #stopped = new AbortController();

  constructor(cluster: Cluster, { metadata: { uid } }: VirtualMachineInstanceMigration) {
    const look = () => {
      const target = cluster.pods.all().find(({ metadata }) => metadata.labels?.[MIGRATION_JOB_UID] === uid);
      if (target === undefined) return;
      const held = target.spec.schedulingGates?.map(({ name }) => name) ?? [];
      if (held.join() !== this.#seen.at(-1)?.held.join()) this.#seen.push({ at: Date.now(), held });
    };
    cluster.onChange(look, this.#stopped.signal);
  }

  /** Ends it, and tells what it saw on a migration's clock. */
  result(startedAt: number): { readonly atMs: number; readonly held: readonly string[] }[] {
    this.#stopped.abort();
    return this.#seen.map(({ at, held }) => ({ atMs: at - startedAt, held }));
  }
}
