import { type Change, type Desired, type Dual, sourceOnly } from './desired.ts';
import { carriesRecord, RECORD_KEYS, recordEntries, recordOf, SINCE_KEY } from './record.ts';

/** A logical switch port of a VM, as it was read from the northbound database. */
export interface Port {
  readonly uuid: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A port and the binding that it should have. */
export interface DesiredPort {
  readonly port: Port;
  readonly wanted: Desired;
}

/** What is to be written to one port: the options of ours as they shall be, all others of ours deleted. */
export interface PortChange {
  readonly port: Port;
  readonly wanted: Change;
  readonly options: Readonly<Record<string, string>>;
  /** It is on the way to another binding, which is made next. */
  readonly isInterim: boolean;
}

export const REQUESTED_CHASSIS = 'requested-chassis';
export const ACTIVATION_STRATEGY = 'activation-strategy';

/** The options that are ours to write while a VM is opted in; no other is ever written or deleted. */
export const OPTION_KEYS: readonly string[] = [REQUESTED_CHASSIS, ACTIVATION_STRATEGY, ...RECORD_KEYS];

/** Nodes of a binding, the main one first; their chassis must be known before it can be written. */
export function nodesOf(wanted: Desired): readonly string[] {
  if (wanted.binding === 'pinned') return [wanted.node];
  if (wanted.binding === 'dual') return [wanted.source, wanted.target];
  return [];
}

/** What the change of a port depends on besides the port. */
export interface ChangeSetup {
  /** Chassis name by node; OVN advises names, not hostnames (ovn-nb(5), requested-chassis). */
  readonly chassis: ReadonlyMap<string, string>;
  readonly activationStrategy: string;
  /** Chassis that a guest's announcement has opened the port on, as the southbound database has it. */
  readonly activated: readonly string[];
  /** Why the target's chassis could not hold the port until the guest announces itself. */
  readonly whyNotHeld?: string | undefined;
  readonly now: Date;
}

/** The change that gives a port the wanted binding, or brings it nearer; `undefined` where it has it already. */
export function changeFor(port: Port, wanted: Desired, setup: ChangeSetup): PortChange | undefined {
  if (wanted.binding === 'leave') return undefined;
  return wanted.binding === 'dual' ? changeToDual(port, wanted, setup) : changeTo(port, wanted, undefined, setup);
}

function changeToDual(port: Port, wanted: Dual, setup: ChangeSetup): PortChange | undefined {
  const requested = chassisList(wanted, setup);
  const { [REQUESTED_CHASSIS]: present, [ACTIVATION_STRATEGY]: strategy } = port.options;
  const isActivated = setup.activated.length > 0;
  if (present === requested) {
    // Whatever is written between the activation and the pin may make northd drop an activation that it has not seen yet.
    // And what our record calls dual may have been made open, by a look that knew of an activation that is forgotten by now.
    if (isActivated || carriesRecord(port.options, wanted.record)) return undefined;
    return changeTo(port, wanted, strategy ?? (wanted.isArmed ? setup.activationStrategy : undefined), setup);
  }
  // northd forgets which chassis was activated only while no additional one is requested.
  if (isDual(port)) return changeTo(port, sourceOnly(wanted), undefined, setup, { isInterim: true });
  // Somebody took the binding off after the guest had opened the port: northd forgets that, and no RARP comes again.
  const isOpened = isActivated && carriesRecord(port.options, wanted.record);
  if (!wanted.isArmed || isOpened) return changeTo(port, wanted, undefined, setup);
  return setup.whyNotHeld === undefined
    ? changeTo(port, wanted, setup.activationStrategy, setup)
    : changeTo(port, sourceOnly(wanted), undefined, setup);
}

function changeTo(
  port: Port,
  wanted: Change,
  strategy: string | undefined,
  setup: ChangeSetup,
  { isInterim = false } = {},
): PortChange | undefined {
  const binding: Record<string, string> = {};
  if (wanted.binding !== 'unbound') binding[REQUESTED_CHASSIS] = chassisList(wanted, setup);
  if (strategy !== undefined) binding[ACTIVATION_STRATEGY] = strategy;
  const record = wanted.binding === 'unbound' ? undefined : wanted.record;
  const isRight = [REQUESTED_CHASSIS, ACTIVATION_STRATEGY].every((key) => port.options[key] === binding[key]);
  if (isRight && carriesRecord(port.options, record)) return undefined;
  return { port, wanted, isInterim, options: { ...binding, ...(record && recordEntries(record, setup.now)) } };
}

/** The same once more, of a port that is pinned: only the time is another. */
export function repeated(port: Port, { rule, step, isAnyones }: Change, now: Date): PortChange {
  const record = recordOf(port.options)!;
  const wanted = { rule, step, isAnyones, binding: 'pinned', node: record.target ?? record.source, record } as const;
  const { [REQUESTED_CHASSIS]: requested } = port.options;
  return {
    port,
    wanted,
    isInterim: false,
    options: { [REQUESTED_CHASSIS]: requested!, ...recordEntries(record, now) },
  };
}

/** Whether a change writes what the port has already. */
export function isRepeated({ port, options }: PortChange): boolean {
  return OPTION_KEYS.every((key) => key === SINCE_KEY || port.options[key] === options[key]);
}

function chassisList(wanted: Desired, { chassis }: ChangeSetup): string {
  return nodesOf(wanted)
    .map((node) => chassis.get(node))
    .join(',');
}

/**
 * Whether a port, read again, carries just this change: `handover-since` tells it from another one to the same end. A
 * release leaves nothing behind, so that of one nobody can say so.
 */
export function carriesChange({ port, options }: PortChange, again: Port): boolean {
  if (again.uuid !== port.uuid || options[SINCE_KEY] === undefined) return false;
  return OPTION_KEYS.every((key) => again.options[key] === options[key]);
}

/** Whether a port is bound for a migration, or will be by this change. Others take a binding off and leave the record. */
export function isBoundFor(migration: string, { options }: Pick<Port, 'options'>): boolean {
  return recordOf(options)?.migration === migration && options[REQUESTED_CHASSIS] !== undefined;
}

/** Whether a port is bound to two chassis. */
export function isDual({ options }: Pick<Port, 'options'>): boolean {
  return options[REQUESTED_CHASSIS]?.includes(',') === true;
}
