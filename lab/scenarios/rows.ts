import { isDeepStrictEqual } from 'node:util';
import { run } from '../testbed/command.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import type { Ending } from './ending.ts';

/** A logical switch port in both databases, read with OVN's own tools. */
export interface PortRows {
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
  /** All other columns that somebody writes, as text. */
  readonly others: string;
  readonly binding: BindingRow | undefined;
}

/** A Port_Binding; chassis by name. */
export interface BindingRow {
  readonly chassis: readonly string[];
  readonly additionalChassis: readonly string[];
  readonly requestedChassis: readonly string[];
  readonly requestedAdditionalChassis: readonly string[];
  /** northd's memory of who was opened. */
  readonly activated: string | undefined;
  readonly up: boolean;
}

/** Columns that OVN writes itself, and what tells a row from another. */
const STATE = ['up', 'dynamic_addresses', '_uuid'];

/** All ports by name. */
export async function readRows({ northbound, southbound }: TestbedDescription): Promise<ReadonlyMap<string, PortRows>> {
  const [ports, bindings, chassis] = await Promise.all([
    list('ovn-nbctl', northbound, 'Logical_Switch_Port'),
    list('ovn-sbctl', southbound, 'Port_Binding'),
    list('ovn-sbctl', southbound, 'Chassis'),
  ]);
  const nameOf = new Map(chassis.map((row) => [uuidOf(row._uuid), String(row.name)]));
  const byPort = new Map(bindings.map((row) => [String(row.logical_port), bindingRow(row, nameOf)]));
  return new Map(
    ports.map(({ name, options, external_ids, ...rest }) => {
      const others = Object.entries(rest).filter(([column]) => !STATE.includes(column));
      return [
        String(name),
        {
          options: mapOf(options),
          externalIds: mapOf(external_ids),
          others: JSON.stringify(others.sort()),
          binding: byPort.get(String(name)),
        },
      ];
    }),
  );
}

/**
 * What is not as it should be of one port, in words; nothing is left when all is right.
 *
 * @param before the rows before anything happened to the port
 * @param vmi uid of the VMI that there is now
 */
export function wrongWith(
  now: PortRows | undefined,
  before: PortRows,
  ending: Ending,
  { chassisOf, vmi }: { chassisOf: (node: string) => string; vmi: string | undefined },
): string[] {
  if (ending.binding === 'no port') return now === undefined ? [] : ['the port is there'];
  if (now === undefined) return ['the port is gone'];
  const { binding, node } = ending;
  const chassis = node === undefined ? [] : [chassisOf(node)];
  const pinned = binding === 'pinned';
  const isOurs = ([key]: [string, string]) => key.startsWith('handover-');
  const record = Object.fromEntries(Object.entries(now.options).filter(isOurs));
  const options = Object.fromEntries(Object.entries(now.options).filter((entry) => !isOurs(entry)));
  const wanted = {
    ...(pinned && {
      'handover-vmi': vmi,
      'handover-migration': ending.migration,
      'handover-binding': 'pinned',
      'handover-target': node,
      'handover-source': record['handover-source'] ?? 'a node',
      'handover-since': record['handover-since'] ?? 'a time',
    }),
  };
  const differences: [string, unknown, unknown][] = [
    ['options', options, { ...before.options, ...ending.theirs, ...(pinned && { 'requested-chassis': chassis[0] }) }],
    ['our record', record, wanted],
    ['external_ids', now.externalIds, before.externalIds],
    ['the other columns', now.others, before.others],
    ['SB chassis', now.binding?.chassis, chassis],
    ['SB additional_chassis', now.binding?.additionalChassis, []],
    ['SB requested_chassis', now.binding?.requestedChassis, pinned ? chassis : []],
    ['SB requested_additional_chassis', now.binding?.requestedAdditionalChassis, []],
    ['SB additional-chassis-activated', now.binding?.activated, undefined],
    ['SB up', now.binding?.up, node !== undefined],
  ];
  return differences
    .filter(([, actual, expected]) => !isDeepStrictEqual(actual, expected))
    .map(([what, actual, expected]) => `${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

function bindingRow(row: Row, nameOf: ReadonlyMap<string, string>): BindingRow {
  const names = (value: unknown) => setOf(value).map((id) => nameOf.get(uuidOf(id)) ?? String(id));
  return {
    chassis: names(row.chassis),
    additionalChassis: names(row.additional_chassis),
    requestedChassis: names(row.requested_chassis),
    requestedAdditionalChassis: names(row.requested_additional_chassis),
    activated: mapOf(row.options)['additional-chassis-activated'],
    up: setOf(row.up)[0] === true,
  };
}

type Row = Readonly<Record<string, unknown>>;

async function list(tool: string, database: string, table: string): Promise<Row[]> {
  const text = await run(tool, [`--db=${database}`, '--timeout=20', '--format=json', 'list', table]);
  const { headings, data } = JSON.parse(text) as { headings: string[]; data: unknown[][] };
  return data.map((values) => Object.fromEntries(values.map((value, index) => [headings[index]!, value])));
}

// RFC 7047 section 5.1: a set of one is its bare element, and a map is ["map", [[key, value], …]].
function setOf(value: unknown): unknown[] {
  return Array.isArray(value) && value[0] === 'set' ? (value[1] as unknown[]) : [value];
}

function mapOf(value: unknown): Record<string, string> {
  const [, pairs] = value as ['map', [string, string][]];
  return Object.fromEntries(pairs);
}

function uuidOf(value: unknown): string {
  return (value as ['uuid', string])[1];
}
