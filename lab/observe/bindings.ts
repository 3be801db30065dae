import type { TestbedDescription } from '../testbed/description.ts';
import { Changes } from './changes.ts';
import { monitorTable, type RowChange } from './monitor.ts';

/** What the northbound database wants of a port. */
export interface WantedBinding {
  /** As written: chassis names with commas between them. */
  readonly requestedChassis?: string;
  readonly activationStrategy?: string;
  /** The keys `handover-…` of the port's options. */
  readonly record: Readonly<Record<string, string>>;
}

/** What the southbound database shows of a port: who has claimed it. */
export interface ClaimedBinding {
  /** Name of the main chassis. */
  readonly chassis?: string;
  readonly additionalChassis: readonly string[];
  /** Chassis that a RARP has opened (`additional-chassis-activated`). */
  readonly activated: readonly string[];
  readonly up: boolean;
}

/** What was seen of one port. */
export interface PortBindings {
  readonly wanted: Changes<WantedBinding>;
  readonly claimed: Changes<ClaimedBinding>;
}

export interface BindingWatch extends PortBindings {
  /** Ends the observers; the lists stay. */
  stop(): Promise<void>;
}

/** By the name of the port. */
export interface BindingsWatch {
  of(port: string): PortBindings;
  stop(): Promise<void>;
}

/** Watches one port as {@link watchAllBindings} does all. */
export async function watchBindings(
  testbed: TestbedDescription,
  port = testbed.vms[0].interfaces[0].port,
): Promise<BindingWatch> {
  const watch = await watchAllBindings(testbed);
  return { ...watch.of(port), stop: watch.stop };
}

/**
 * Watches all ports in both OVN databases with OVN's own tools, apart from the code that is under observation. Resolves
 * when the present state has been seen.
 */
export async function watchAllBindings({ client, northbound, southbound }: TestbedDescription): Promise<BindingsWatch> {
  const nb = { netns: client.netns, remote: northbound, database: 'OVN_Northbound' };
  const sb = { netns: client.netns, remote: southbound, database: 'OVN_Southbound' };
  const ports = new Map<string, PortBindings>();
  const of = (port: string) => {
    const bindings = ports.get(port) ?? { wanted: new Changes(), claimed: new Changes() };
    ports.set(port, bindings);
    return bindings;
  };
  const names = new Map<string, string>();
  const onChassis = (changes: RowChange[]) => {
    // A deleted chassis keeps its name here: a port may be seen with it for a moment longer.
    for (const { uuid, row } of changes) if (row) names.set(uuid, String(row.name));
  };
  const monitors = [
    await monitorTable({ ...sb, table: 'Chassis', columns: ['name'] }, onChassis),
    await monitorTable(
      { ...sb, table: 'Port_Binding', columns: ['logical_port', 'chassis', 'additional_chassis', 'options', 'up'] },
      (changes) => {
        for (const { row } of changes) if (row) of(String(row.logical_port)).claimed.add(claimedBinding(row, names));
      },
    ),
    await monitorTable({ ...nb, table: 'Logical_Switch_Port', columns: ['name', 'options'] }, (changes) => {
      for (const { row } of changes) if (row) of(String(row.name)).wanted.add(wantedBinding(row));
    }),
  ];
  return {
    of,
    async stop() {
      await Promise.all(monitors.map((monitor) => monitor.stop()));
    },
  };
}

function wantedBinding(row: Record<string, unknown>): WantedBinding {
  const options = mapOf(row.options);
  const ours = [...options].filter(([key]) => key.startsWith('handover-'));
  return {
    ...defined('requestedChassis', options.get('requested-chassis')),
    ...defined('activationStrategy', options.get('activation-strategy')),
    record: Object.fromEntries(ours),
  };
}

function claimedBinding(row: Record<string, unknown>, names: ReadonlyMap<string, string>): ClaimedBinding {
  const nameOf = (id: unknown) => names.get((id as [string, string])[1]) ?? String(id);
  const activated = mapOf(row.options).get('additional-chassis-activated');
  return {
    ...defined('chassis', setOf(row.chassis).map(nameOf)[0]),
    additionalChassis: setOf(row.additional_chassis).map(nameOf),
    activated: activated ? activated.split(',') : [],
    up: setOf(row.up)[0] === true,
  };
}

function defined<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

// RFC 7047 section 5.1: a set of one is its bare element, and a map is ["map", [[key, value], …]].
function setOf(value: unknown): unknown[] {
  return Array.isArray(value) && value[0] === 'set' ? (value[1] as unknown[]) : [value];
}

function mapOf(value: unknown): Map<string, string> {
  const [, pairs] = value as ['map', [string, string][]];
  return new Map(pairs);
}
