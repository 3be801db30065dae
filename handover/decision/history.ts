import { type FunctionName, isPartOf } from './desired.ts';
import type { KubernetesEvent } from './events.ts';
import { isOurs, type SchedulingGateRelease } from './gates.ts';
import { gatesOf, type VirtualMachineInstanceMigration } from './kubevirt.ts';
import type { MigrationRecord, Moment } from './migration-record.ts';
import type { Observation } from './observation.ts';
import type { PortChange } from './port.ts';
import { type PortRecord, recordOf, SINCE_KEY } from './record.ts';

/** What one look adds to the record of a migration. */
export interface HistoryEntry {
  readonly vmim: VirtualMachineInstanceMigration;
  readonly record: MigrationRecord;
}

/** Of the event that woke a function, what the record of a migration takes. */
export interface EventTimes {
  /** When its source sent it, ms since the epoch. */
  readonly sentAt: number | undefined;
  /** The pod in it is marked as one that its guest has switched to. */
  readonly showsSwitch: boolean;
}

/** Those that a switch wakes first, and whose step comes after it: the others need not say the same. */
const SWITCH_WATCHERS: readonly FunctionName[] = ['disable-dual-chassis', 'reconcile'];
/** From the switch until KubeVirt has marked the target pod. */
const MAX_SHOWN_MS = 500;

/** Who looks, and why. */
export interface Looker {
  readonly name: FunctionName;
  /** When its call began, ms since the epoch. */
  readonly startedAt: number;
  readonly event: EventTimes | undefined;
}

/**
 * What a look shows of migrations whose ports are this function's to bind: also what was done before, by a call that was
 * killed before it could say so.
 */
export function historySeen(looker: Looker, observed: Observation): HistoryEntry[] {
  const own = observed.ports.flatMap(({ port, wanted }) => {
    const record = recordOf(port.options);
    const isOwn = wanted.binding !== 'leave' && isPartOf(looker.name, wanted);
    const since = port.options[SINCE_KEY];
    return isOwn && record && since ? entriesFor(record.migration, observed, boundBy(record, { at: since })) : [];
  });
  return [...own, ...switchSeen(looker, observed)];
}

/** What changes that were committed add. */
export function historyOfChanges(
  looker: Looker,
  observed: Observation,
  changes: readonly PortChange[],
  now: number,
): HistoryEntry[] {
  return changes.flatMap(({ port, wanted, options }) => {
    if (wanted.binding === 'unbound') {
      const before = recordOf(port.options);
      return before ? entriesFor(before.migration, observed, { released: momentAt(now, looker) }) : [];
    }
    const moment = { ...momentAt(now, looker), at: options[SINCE_KEY]! };
    const isToTarget = wanted.rule === '3a';
    return entriesFor(
      wanted.record.migration,
      observed,
      isToTarget ? { target: wanted.record.target!, pinnedToTarget: moment } : boundBy(wanted.record, moment),
    );
  });
}

/** What a target pod adds that was let go. */
export function historyOfRelease(
  looker: Looker,
  observed: Observation,
  { pod, gates }: SchedulingGateRelease,
  now: number,
): HistoryEntry[] {
  const { migration } = observed.facts;
  const isTarget = migration?.target?.pod === pod;
  const isLast = gates.length > 0 && gatesOf(pod).every((gate) => gates.includes(gate));
  return isTarget && isLast ? entriesFor(migration.uid, observed, { ungated: momentAt(now, looker) }) : [];
}

/** What was wrong. */
export function historyOfEvents(
  observed: Observation,
  events: readonly KubernetesEvent[],
  now: number,
): HistoryEntry[] {
  const uid = migrationOf(observed);
  const at = new Date(now).toISOString();
  const warnings = events.filter(({ type }) => type === 'Warning').map(({ reason }) => ({ reason, at }));
  return uid !== undefined && warnings.length > 0 ? entriesFor(uid, observed, { warnings }) : [];
}

/** The migration that a look is about: the one that runs, or else the one that the ports tell of. */
export function migrationOf({ facts, ports }: Observation): string | undefined {
  return facts.migration?.uid ?? ports.flatMap(({ port }) => recordOf(port.options)?.migration ?? [])[0];
}

function boundBy({ binding, source, target }: PortRecord, moment: Moment): MigrationRecord {
  if (binding === 'dual') return { source, ...(target && { target }), dual: moment };
  if (target === undefined) return { source, pinned: moment };
  return source === target ? { source, pinnedBack: moment } : { source, target, pinnedToTarget: moment };
}

/**
 * The switch is in the second that KubeVirt names. The first event that shows it comes a moment later, and says when in that
 * second; a later one says nothing.
 */
function switchSeen(looker: Looker, observed: Observation): HistoryEntry[] {
  if (!SWITCH_WATCHERS.includes(looker.name)) return [];
  const { facts, ports } = observed;
  const current = isOurs(observed) ? facts.migration?.uid : undefined;
  const uids = new Set([current, ...ports.map(({ port }) => recordOf(port.options)?.migration)]);
  return facts.switches
    .filter(({ migration }) => uids.has(migration))
    .flatMap(({ migration, second }) => {
      const { sentAt = Number.NaN, showsSwitch } = looker.event ?? {};
      const isFirst = showsSwitch && sentAt >= second && sentAt < second + 1_000 + MAX_SHOWN_MS;
      const at = new Date(isFirst ? Math.min(sentAt, second + 999) : second).toISOString();
      return entriesFor(migration, observed, { switched: { at } });
    });
}

function momentAt(now: number, { name, startedAt, event }: Looker): Moment {
  const lateMs = event?.sentAt === undefined ? undefined : Math.max(startedAt - event.sentAt, 0);
  return { at: new Date(now).toISOString(), by: name, ...(lateMs !== undefined && { lateMs }) };
}

/** Nothing where the VMIM is gone, and its record with it. */
function entriesFor(uid: string, { migrations }: Observation, record: MigrationRecord): HistoryEntry[] {
  return migrations.filter(({ metadata }) => metadata.uid === uid).map((vmim) => ({ vmim, record }));
}
