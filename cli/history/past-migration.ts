import type { VirtualMachineInstanceMigration } from '../../handover/decision/kubevirt.ts';
import { type MigrationRecord, MOMENTS, migrationRecordOf } from '../../handover/decision/migration-record.ts';

/** A VMIM with the times of its phases. */
export type DatedMigration = VirtualMachineInstanceMigration & {
  readonly status?: {
    readonly phaseTransitionTimestamps?: readonly {
      readonly phase: string;
      readonly phaseTransitionTimestamp: string;
    }[];
  };
};

/** One migration, as its VMIM tells of it. */
export interface PastMigration {
  readonly name: string;
  readonly uid: string;
  readonly created: string;
  readonly phase: string | undefined;
  /** `undefined`: the functions have written none, or there is none that can be read. */
  readonly record: MigrationRecord | undefined;
  /** What was done and seen, in order. */
  readonly timeline: readonly Dated[];
}

export interface Dated {
  /** ISO 8601; KubeVirt tells whole seconds. */
  readonly at: string;
  /** After the VMIM was created, of which the API server tells the second. */
  readonly afterMs: number;
  readonly who: string;
  readonly what: string;
}

const WORDS: Readonly<Record<(typeof MOMENTS)[number], string>> = {
  pinned: 'ports pinned to the source',
  ungated: 'target let go to the scheduler',
  dual: 'ports dual',
  switched: 'guest runs on the target',
  pinnedToTarget: 'ports pinned to the target',
  pinnedBack: 'ports pinned back to the source',
  released: 'ports released',
};

/** Those of one VM, the oldest first. */
export function pastMigrations(migrations: readonly DatedMigration[], vmi: string): readonly PastMigration[] {
  return migrations
    .filter(({ spec }) => spec.vmiName === vmi)
    .map(pastMigration)
    .sort((a, b) => a.created.localeCompare(b.created) || a.name.localeCompare(b.name));
}

function pastMigration(vmim: DatedMigration): PastMigration {
  const { name, uid, creationTimestamp } = vmim.metadata;
  const created = new Date(creationTimestamp ?? 0).toISOString();
  const record = migrationRecordOf(vmim);
  const after = (at: string) => Date.parse(at) - Date.parse(created);
  const dated = (at: string, who: string, what: string): Dated => ({ at, afterMs: after(at), who, what });
  const moments = MOMENTS.flatMap((moment) => {
    const found = record?.[moment];
    if (found === undefined) return [];
    const late = found.lateMs === undefined ? '' : `, ${found.lateMs} ms after its event`;
    return [dated(found.at, found.by ?? 'KubeVirt', `${WORDS[moment]}${late}`)];
  });
  const phases = (vmim.status?.phaseTransitionTimestamps ?? []).map(({ phase, phaseTransitionTimestamp }) =>
    dated(phaseTransitionTimestamp, 'KubeVirt', phase),
  );
  const warnings = (record?.warnings ?? []).map(({ reason, at }) => dated(at, 'warning', reason));
  return {
    name,
    uid,
    created,
    phase: vmim.status?.phase,
    record,
    timeline: [...phases, ...moments, ...warnings].sort((a, b) => a.afterMs - b.afterMs),
  };
}
