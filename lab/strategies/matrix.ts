import { setTimeout as sleep } from 'node:timers/promises';
import { OvsdbClient } from 'ovsdb-client-ts';
import { whyNotHeld } from '../../handover/decision/activation.ts';
import type { PortBinding } from '../../handover/decision/southbound.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { run } from '../testbed/command.ts';
import type { Chassis, TestbedDescription } from '../testbed/description.ts';
import { ANNOUNCEMENTS, type Announced, type Announcement, announce } from './announcements.ts';
import { delivered, inject, plugInternal, portNumbers } from './frames.ts';

/** What a port may have for addresses, in the northbound database's words. */
export const ADDRESSES: Readonly<Record<string, (guest: Announced) => readonly string[]>> = {
  'MAC IPv4': ({ mac, ipv4 }) => [`${mac} ${ipv4}`],
  'MAC IPv6': ({ mac, ipv6 }) => [`${mac} ${ipv6}`],
  'MAC IPv4 IPv6': ({ mac, ipv4, ipv6 }) => [`${mac} ${ipv4} ${ipv6}`],
  'MAC IPv4, unknown': ({ mac, ipv4 }) => [`${mac} ${ipv4}`, 'unknown'],
  MAC: ({ mac }) => [mac],
  'MAC dynamic': ({ mac }) => [`${mac} dynamic`],
  dynamic: () => ['dynamic'],
  unknown: () => ['unknown'],
  '(none)': () => [],
};

export const STRATEGIES = ['rarp', 'garp', 'na', 'rarp,garp', 'rarp,na', 'garp,na', 'rarp,garp,na'] as const;

/** What one strategy did on a port with such addresses, and what the functions would have made of it. */
export interface Cell {
  readonly addresses: string;
  readonly strategy: string;
  /** Whether the target's port let nothing through before the guest was announced. */
  readonly held: boolean;
  readonly openedBy: readonly Announcement[];
  /** Why a function does not arm such a port; `undefined` where it does. */
  readonly rejected: string | undefined;
}

interface Port extends Announced {
  readonly name: string;
  readonly addresses: string;
  readonly strategy: string;
}

const SWITCH = 'strategies';
const PROBE = 'probe';
/** Broadcast, of an ethertype for experiments (IEEE 802). */
const PROBE_FRAME = 'ffffffffffff0200000000fe88b5'.padEnd(120, '0');
const WITHIN_MS = 20_000;

/**
 * Binds a port of each kind of addresses to two chassis by each strategy, and looks what reaches the target's side before
 * and after each kind of announcement. The testbed is not fit for anything else afterwards.
 */
export async function strategyMatrix(
  testbed: TestbedDescription,
  onProgress: (step: string) => void,
): Promise<readonly Cell[]> {
  const [source, target, client] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  const database = new OvsdbClient({ remote: testbed.southbound, database: 'OVN_Southbound' });
  const southbound = new Southbound(database);
  try {
    const ports = Object.keys(ADDRESSES).flatMap((addresses, row) =>
      STRATEGIES.map((strategy, column) => portOf(addresses, strategy, row * STRATEGIES.length + column + 1)),
    );
    onProgress(`making ${ports.length} ports, on ${source.name} and ${target.name}`);
    await makePorts(testbed, ports);
    const support = (await southbound.strategySupport()).get(target.name)!;
    const { bindings } = await southbound.look(
      [],
      ports.map(({ name }) => name),
    );
    const macOf = new Map([...bindings].map(([port, { addresses }]) => [port, addresses]));

    const held = new Set(ports);
    const openedBy = new Map(ports.map((port) => [port, [] as Announcement[]]));
    for (const how of ANNOUNCEMENTS) {
      onProgress(`binding them to both, and announcing each by ${how}`);
      await requestChassis(testbed, ports, `${source.name},${target.name}`);
      await until(
        southbound,
        ports,
        ({ chassis, additionalChassis }) => chassis !== undefined && additionalChassis.length === 1,
      );
      await run('ovn-nbctl', [`--db=${testbed.northbound}`, '--timeout=25', '--wait=hv', 'sync']);
      for (const port of await reached({ source, target, client }, ports)) held.delete(port);
      const numbers = await portNumbers(target);
      for (const port of ports) await inject(target, numbers.get(port.name)!, announce(how, port));
      await sleep(2_000);
      for (const port of await reached({ source, target, client }, ports)) openedBy.get(port)!.push(how);
      await requestChassis(testbed, ports, source.name);
      await until(
        southbound,
        ports,
        ({ activated, additionalChassis }) => activated.length === 0 && additionalChassis.length === 0,
      );
    }
    return ports.map((port) => ({
      addresses: port.addresses,
      strategy: port.strategy,
      held: held.has(port),
      openedBy: openedBy.get(port)!,
      rejected: whyNotHeld(port.strategy, macOf.get(port.name)!, support),
    }));
  } finally {
    await database.close();
  }
}

/** Whether OVN did what the functions count on: what they arm is held and opens, what they reject is or does not. */
export function isForeseen({ held, openedBy, rejected }: Cell): boolean {
  return (rejected === undefined) === (held && openedBy.length > 0);
}

function portOf(addresses: string, strategy: string, number: number): Port {
  return {
    name: `p${number}`,
    addresses,
    strategy,
    mac: `02:00:00:01:00:${number.toString(16).padStart(2, '0')}`,
    ipv4: `10.40.0.${number}`,
    ipv6: `fd00:40:0:0:0:0:0:${number.toString(16)}`,
  };
}

/** The ports and a probe beside them, plugged as internal interfaces: the ports on source and target, the probe elsewhere. */
async function makePorts({ northbound, chassis }: TestbedDescription, ports: readonly Port[]): Promise<void> {
  const [source, target, client] = chassis as readonly [Chassis, Chassis, Chassis];
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...['ls-add', SWITCH, '--', 'set', 'Logical_Switch', SWITCH, 'other_config:subnet=10.40.128.0/17'],
    'other_config:ipv6_prefix="fd00:41::"',
    ...['--', 'lsp-add', SWITCH, PROBE, '--', 'lsp-set-addresses', PROBE, 'unknown'],
    ...ports.flatMap((port) => {
      const addresses = ADDRESSES[port.addresses]!(port);
      return [
        ...['--', 'lsp-add', SWITCH, port.name],
        ...(addresses.length > 0 ? ['--', 'lsp-set-addresses', port.name, ...addresses] : []),
        ...['--', 'lsp-set-options', port.name, `requested-chassis=${source.name}`],
      ];
    }),
  ]);
  const names = ports.map(({ name }) => name);
  await Promise.all([plugInternal(source, names), plugInternal(target, names), plugInternal(client, [PROBE])]);
  await run('ovn-nbctl', [`--db=${northbound}`, '--timeout=25', '--wait=hv', 'sync']);
}

async function requestChassis(
  { northbound }: TestbedDescription,
  ports: readonly Port[],
  chassis: string,
): Promise<void> {
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...ports.flatMap(({ name, strategy }) => [
      ...['--', 'lsp-set-options', name, `requested-chassis=${chassis}`, `activation-strategy=${strategy}`],
    ]),
  ]);
}

async function until(
  southbound: Southbound,
  ports: readonly Port[],
  is: (binding: PortBinding) => boolean,
): Promise<void> {
  const names = ports.map(({ name }) => name);
  for (const deadline = Date.now() + WITHIN_MS; ; await sleep(200)) {
    const others = [...(await southbound.look([], names)).bindings.values()].filter((binding) => !is(binding));
    if (others.length === 0) return;
    if (Date.now() > deadline) throw new Error(`OVN southbound did not change ${others[0]!.port} within 20 s.`);
  }
}

/** The ports at which a broadcast from the probe arrives on the target; on the source it arrives at all. */
async function reached(
  { source, target, client }: Record<'source' | 'target' | 'client', Chassis>,
  ports: readonly Port[],
): Promise<readonly Port[]> {
  const before = { source: await delivered(source), target: await delivered(target) };
  const probe = (await portNumbers(client)).get(PROBE)!;
  for (const deadline = Date.now() + WITHIN_MS; ; ) {
    // The first through a tunnel is lost: it makes the switch ask for the other end's MAC.
    await inject(client, probe, PROBE_FRAME);
    await sleep(200);
    const now = await delivered(source);
    if (ports.every(({ name }) => now.get(name)! > before.source.get(name)!)) break;
    if (Date.now() > deadline) throw new Error('The broadcast of the probe did not reach the source within 20 s.');
  }
  await sleep(500);
  const now = await delivered(target);
  return ports.filter(({ name }) => now.get(name)! > before.target.get(name)!);
}
