import type { Cluster } from '../../kubevirt/cluster.ts';
import { MIGRATION_JOB_UID } from '../../kubevirt/labels.ts';
import { type Log, openLog } from '../../kubevirt/log.ts';
import type { Pod, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../../kubevirt/objects.ts';

/** KubeVirt writes it on a target pod when the guest runs there. */
const TARGET_READY = 'kubevirt.io/migration-target-ready-timestamp';

/**
 * Writes what KubeVirt does as the lab's KubeVirt tells it of itself, from what the API server shows of it: so both are read
 * alike. Times are those of this process's sight.
 */
export class KubeVirtJournal {
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #told = new Set<string>();
  /** Where each VMI was seen last. */
  readonly #nodes = new Map<string, string>();
  readonly #stopped = new AbortController();

  constructor(cluster: Cluster, file: string) {
    this.#cluster = cluster;
    this.#log = openLog(file);
    cluster.onChange(() => this.#look(), this.#stopped.signal);
  }

  stop(): void {
    this.#stopped.abort();
  }

  #look(): void {
    for (const migration of this.#cluster.vmims.all()) this.#lookAtMigration(migration);
    for (const pod of this.#cluster.pods.all()) this.#lookAtPod(pod);
    for (const vmi of this.#cluster.vmis.all()) this.#lookAtVmi(vmi);
  }

  #lookAtMigration({ metadata, status }: VirtualMachineInstanceMigration): void {
    const phase = status?.phase;
    if (phase !== undefined) this.#once([metadata.uid, phase], 'vmim-phase', { vmim: metadata.name, phase });
  }

  #lookAtPod({ metadata, spec, status }: Pod): void {
    const migration = metadata.labels?.[MIGRATION_JOB_UID];
    if (migration === undefined) return;
    const { nodeName: node } = spec;
    if (node !== undefined) this.#once([metadata.uid, 'bound'], 'pod', { pod: metadata.name, state: 'bound', node });
    const state = status?.phase;
    if (state !== undefined) this.#once([metadata.uid, state], 'pod', { pod: metadata.name, state });
    if (metadata.annotations?.[TARGET_READY] !== undefined) this.#tellSwitch(migration, node);
  }

  #lookAtVmi({ metadata, status }: VirtualMachineInstance): void {
    const { nodeName: to, migrationState } = status ?? {};
    if (to !== undefined && this.#nodes.get(metadata.uid) !== to) {
      this.#nodes.set(metadata.uid, to);
      this.#log('node-moved', { vmi: metadata.name, to });
    }
    if (migrationState === undefined) return;
    const { migrationUid, startTimestamp, targetNodeDomainReadyTimestamp, targetNode } = migrationState;
    if (startTimestamp) this.#once([migrationUid, 'copying'], 'copying', { vmi: metadata.name });
    if (targetNodeDomainReadyTimestamp) this.#tellSwitch(migrationUid, targetNode);
  }

  /** Two objects say it, in no order. */
  #tellSwitch(migration: string | undefined, to: string | undefined): void {
    this.#once([migration, 'switched'], 'switched', { to, switchedAt: new Date().toISOString() });
  }

  #once(key: readonly unknown[], ...line: Parameters<Log>): void {
    const name = JSON.stringify(key);
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#log(...line);
  }
}
