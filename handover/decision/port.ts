import type { Desired } from './desired.ts';
import { type PortRecord, RECORD_KEYS, recordEntries, recordOf, SINCE_KEY, sameRecord } from './record.ts';

/** A logical switch port of a VM, as it was read from the northbound database. */
export interface Port {
  readonly uuid: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A port and the binding that it should have. */
export interface Verdict {
  readonly port: Port;
  readonly wanted: Desired;
}

/** What is to be written to one port: the entries of ours as they shall be, all others of ours deleted. */
export interface PortChange {
  readonly port: Port;
  readonly wanted: Exclude<Desired, { readonly binding: 'leave' }>;
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

export const REQUESTED_CHASSIS = 'requested-chassis';
export const ACTIVATION_STRATEGY = 'activation-strategy';

/** The options that are ours to write while a VM is opted in. */
export const OPTION_KEYS: readonly string[] = [REQUESTED_CHASSIS, ACTIVATION_STRATEGY];

/** Nodes of a binding, the main one first; their chassis must be known before it can be written. */
export function nodesOf(wanted: Desired): readonly string[] {
  if (wanted.binding === 'pinned') return [wanted.node];
  if (wanted.binding === 'dual') return [wanted.source, wanted.target];
  return [];
}

/**
 * The change that gives a port the wanted binding, or `undefined` where it has it already.
 * @param chassis chassis name by node; OVN advises names, not hostnames (ovn-nb(5), requested-chassis)
 */
export function changeFor(
  port: Port,
  wanted: Desired,
  setup: { readonly chassis: ReadonlyMap<string, string>; readonly activationStrategy: string; readonly now: Date },
): PortChange | undefined {
  if (wanted.binding === 'leave') return undefined;
  const options: Record<string, string> = {};
  const requested = nodesOf(wanted).map((node) => setup.chassis.get(node));
  if (requested.length > 0) options[REQUESTED_CHASSIS] = requested.join(',');
  if (wanted.binding === 'dual') options[ACTIVATION_STRATEGY] = setup.activationStrategy;
  const record = wanted.binding === 'unbound' ? undefined : wanted.record;

  const optionsAreRight = OPTION_KEYS.every((key) => port.options[key] === options[key]);
  if (optionsAreRight && hasRecord(port, record)) return undefined;
  return { port, wanted, options, externalIds: record ? recordEntries(record, setup.now) : {} };
}

/** Whether a port, read again, carries just this change: `handover-since` tells it from another one to the same end. */
export function isMade(change: PortChange, port: Port): boolean {
  return port.uuid === change.port.uuid && port.externalIds[SINCE_KEY] === change.externalIds[SINCE_KEY];
}

function hasRecord(port: Port, record: PortRecord | undefined): boolean {
  if (record === undefined) return !RECORD_KEYS.some((key) => key in port.externalIds);
  return sameRecord(recordOf(port.externalIds), record);
}
