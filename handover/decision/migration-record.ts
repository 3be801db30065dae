import type { MigrationRecord, Moment } from '../../schemas/generated/migration-record.js';
import validate from '../../schemas/generated/migration-record.js';
import type { ObjectMeta } from './kubevirt.ts';

export type { MigrationRecord, Moment };

/** On the VMIM: its whole record, as JSON (`schemas/migration-record.schema.json`). */
export const HISTORY_ANNOTATION = 'ovn-handover.dev/history';
/**
 * What is counted of a record, each in an annotation of its own: kube-state-metrics takes a number from a whole value, and
 * reads no JSON in one (`eventing/components/metrics`).
 */
const MARGIN_ANNOTATION = 'ovn-handover.dev/margin-ms';
const LATE_ANNOTATION = 'ovn-handover.dev/late-ms';
const WARNINGS_ANNOTATION = 'ovn-handover.dev/warnings';
/** The last of {@link MOMENTS} that the migration has come to. */
const STAGE_ANNOTATION = 'ovn-handover.dev/stage';

/** The moments of a record, in the order in which a migration that succeeds comes to them. */
export const MOMENTS = [
  'pinned',
  'ungated',
  'dual',
  'switched',
  'pinnedToTarget',
  'pinnedBack',
  'released',
] as const satisfies readonly (keyof MigrationRecord)[];

/** Whether it is what others will read: a time that somebody has made up may be none. */
export function isMigrationRecord(record: unknown): record is MigrationRecord {
  return validate(record);
}

/** The record of a migration, or `undefined` where there is none that can be read. */
export function migrationRecordOf(vmim: {
  readonly metadata: Pick<ObjectMeta, 'annotations'>;
}): MigrationRecord | undefined {
  const text = vmim.metadata.annotations?.[HISTORY_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    return isMigrationRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What two say of one migration. It is the same in whatever order they say it, and however often: so functions may write at
 * once, and a call that was killed may come again. Also as text, because each write of a VMIM wakes functions, which then must
 * find nothing to write.
 */
export function mergeRecords(one: MigrationRecord, other: MigrationRecord): MigrationRecord {
  const merged: MigrationRecord = { ...other, ...one };
  for (const name of MOMENTS) {
    const [a, b] = [one[name], other[name]];
    const moment = a && b ? (name === 'switched' ? moreExact(a, b) : earlier(a, b)) : (a ?? b);
    if (moment) merged[name] = moment;
  }
  const warnings = mergeWarnings(one.warnings ?? [], other.warnings ?? []);
  if (warnings.length > 0) merged.warnings = warnings;
  const { dual, switched } = merged;
  if (dual && switched) merged.marginMs = Date.parse(switched.at) - Date.parse(dual.at);
  return Object.fromEntries(Object.entries(merged).sort(([a], [b]) => compare(a, b)));
}

/** The annotations of a VMIM that say all of a record. */
export function historyAnnotations(record: MigrationRecord): Record<string, string> {
  const late = MOMENTS.flatMap((name) => record[name]?.lateMs ?? []);
  const reasons = record.warnings?.map(({ reason }) => reason).sort();
  const stage = MOMENTS.findLast((name) => record[name]);
  return {
    [HISTORY_ANNOTATION]: JSON.stringify(record),
    ...(stage && { [STAGE_ANNOTATION]: stage }),
    ...(record.marginMs !== undefined && { [MARGIN_ANNOTATION]: `${record.marginMs}` }),
    ...(late.length > 0 && { [LATE_ANNOTATION]: `${Math.max(...late)}` }),
    ...(reasons && { [WARNINGS_ANNOTATION]: reasons.join(',') }),
  };
}

/** Of the same time whoever says who did it, and how late it was, knows more. */
function earlier(a: Moment, b: Moment): Moment {
  if (a.at !== b.at) return a.at < b.at ? a : b;
  return (a.by ?? NOBODY) <= (b.by ?? NOBODY) ? a : b;
}

/** After the name of any function. */
const NOBODY = '~';

/** KubeVirt tells the second of a switch; whoever knows more of it than that is believed before. */
function moreExact(a: Moment, b: Moment): Moment {
  if (isWholeSecond(a) === isWholeSecond(b)) return earlier(a, b);
  return isWholeSecond(a) ? b : a;
}

function isWholeSecond({ at }: Moment): boolean {
  return at.endsWith('.000Z');
}

type Warnings = NonNullable<MigrationRecord['warnings']>;

function mergeWarnings(one: Warnings, other: Warnings): Warnings {
  const all = [...one, ...other].sort((a, b) => compare(a.at, b.at) || compare(a.reason, b.reason));
  return all.filter(({ reason }, index) => all.findIndex((each) => each.reason === reason) === index);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
