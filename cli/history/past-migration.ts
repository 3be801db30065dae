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
  /** RFC 3339, to the second, as the API server has it. */
  readonly created: string;
  readonly phase: string | undefined;
  /** `undefined`: the functions have written none, or there is none that can be read. */
  readonly record: MigrationRecord | undefined;
  /** What was done and seen, in order. */
  readonly timeline: readonly Dated[];
  /** From dual to the switch, as exactly as the switch is known. */
  readonly margin: { readonly atLeastMs: number; readonly atMostMs: number } | undefined;
}

export interface Dated {
  /** RFC 3339 */
  readonly at: string;
  /** It was at `at`, or later by less than this. */
  readonly precisionMs: 1 | 1_000;
  /** After the second in which the VMIM was created. */
  readonly afterMs: number;
  readonly who: string;
  readonly what: string;
}

const KUBEVIRT = 'KubeVirt';

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
  const created = `${new Date(creationTimestamp ?? 0).toISOString().slice(0, 19)}Z`;
  const record = migrationRecordOf(vmim);
  const dated = (at: string, who: string, what: string): Dated => {
    const precisionMs = who === KUBEVIRT ? precisionOf(at) : 1;
    return { at, precisionMs, afterMs: Date.parse(at) - Date.parse(created), who, what };
  };
  const moments = MOMENTS.flatMap((moment) => {
    const found = record?.[moment];
    if (found === undefined) return [];
    const late = found.lateMs === undefined ? '' : `, ${found.lateMs} ms after its event`;
    return [dated(found.at, found.by ?? (moment === 'switched' ? KUBEVIRT : 'a function'), `${WORDS[moment]}${late}`)];
  });
  const phases = (vmim.status?.phaseTransitionTimestamps ?? []).map(({ phase, phaseTransitionTimestamp }) =>
    dated(phaseTransitionTimestamp, KUBEVIRT, phase),
  );
  const warnings = (record?.warnings ?? []).map(({ reason, at }) => dated(at, 'warning', reason));
  return {
    name,
    uid,
    created,
    phase: vmim.status?.phase,
    record,
    timeline: [...phases, ...moments, ...warnings].sort((a, b) => a.afterMs - b.afterMs),
    margin: marginOf(record),
  };
}

/** KubeVirt tells whole seconds, to which an event may have added when in that second it was sent. */
function precisionOf(at: string): Dated['precisionMs'] {
  return Date.parse(at) % 1_000 === 0 ? 1_000 : 1;
}

function marginOf({ dual, switched }: MigrationRecord = {}): PastMigration['margin'] {
  if (!dual || !switched) return undefined;
  const atLeastMs = Date.parse(switched.at) - Date.parse(dual.at);
  return { atLeastMs, atMostMs: atLeastMs + precisionOf(switched.at) - 1 };
}
