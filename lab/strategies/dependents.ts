import { setTimeout as sleep } from 'node:timers/promises';
import { watchAllBindings } from '../observe/bindings.ts';
import { run } from '../testbed/command.ts';
import type { Chassis, TestbedDescription } from '../testbed/description.ts';
import { portsHaveSettled } from '../testbed/network.ts';
import { announce, tagged, udp } from './announcements.ts';
import { delivered, inject, plugInternal, portNumbers } from './frames.ts';

/**
 * Ports that have no interface of their own: a container's, whose frames go in and out of its parent with a VLAN tag
 * (ovn-nb(5), `parent_name` and `tag`), and a virtual one, an address that any of its parents may have (`virtual-parents`).
 */
export const DEPENDENTS = {
  'container, as it is': { kind: 'container', requested: false, held: false, announces: true },
  'container, dual and held': { kind: 'container', requested: true, held: true, announces: true },
  'container, dual and open': { kind: 'container', requested: true, held: false, announces: true },
  virtual: { kind: 'virtual', requested: false, held: false, announces: true },
  'virtual, never announced': { kind: 'virtual', requested: false, held: false, announces: false },
} as const satisfies Record<string, Treatment>;
export type Dependent = keyof typeof DEPENDENTS;

interface Treatment {
  readonly kind: 'container' | 'virtual';
  /** Whether the port itself gets the `requested-chassis` of its parent, … */
  readonly requested: boolean;
  /** … and its `activation-strategy`. */
  readonly held: boolean;
  /** Whether the guest tells of it when it has arrived. */
  readonly announces: boolean;
}

/** What is done to the parent, in turn; its guest runs on the source up to the RARP, and on the target from then on. */
export const STAGES = [
  'pinned to the source',
  'dual',
  'RARP from the target',
  'announced by itself',
  'pinned to the target',
  'source unplugged',
  'announced by itself again',
] as const;
export type Stage = (typeof STAGES)[number];

/** Which side of a dependent port carried a frame. */
export interface Sides {
  readonly source: boolean;
  readonly target: boolean;
}

/** One dependent port at one stage. */
export interface DependentCell {
  readonly dependent: Dependent;
  readonly stage: Stage;
  /** Names of the chassis in Port_Binding's `chassis` and `additional_chassis`. */
  readonly claimed: readonly string[];
  /** How often these changed while nothing was done: more than never is a fight of two chassis. */
  readonly claims: number;
  /** Where a frame for the port arrived. */
  readonly reached: Sides;
  /** From where a frame of the port arrived at the other end. */
  readonly sends: Sides;
}

/** What is wrong with a dependent port at a stage, in words; none where the guest has it wherever the guest runs. */
export function faultsOf({ stage, claims, reached, sends }: DependentCell): readonly string[] {
  const side = STAGES.indexOf(stage) < STAGES.indexOf('RARP from the target') ? 'source' : 'target';
  return [
    claims > 0 ? `two chassis claim it in turn (${claims} changes in ${WATCHED_MS / 1_000} s)` : [],
    reached[side] ? [] : `nothing reaches it on the ${side}`,
    sends[side] ? [] : `it sends nothing from the ${side}`,
    side === 'source' && sends.target ? 'it sends from the target, where no guest runs yet' : [],
  ].flat();
}

interface Port extends Treatment {
  readonly dependent: Dependent;
  readonly parent: string;
  readonly name: string;
  /** The other end of the traffic, on the third chassis. */
  readonly probe: string;
  readonly probeAddresses: string;
  readonly mac: string;
  readonly ip: string;
  /** To the port and from it, as the probe and the parent's guest would send it. */
  readonly to: string;
  readonly from: string;
}

const TAG = 10;
const ROUTER_MACS = { parent: '02:00:00:02:03:01', probe: '02:00:00:02:03:02' };
/** An ethertype for experiments (IEEE 802). */
const ETHERTYPE = '88b5';
const FRAMES = 3;
const WATCHED_MS = 3_000;

/** Takes the parents of dependent ports through a hand-over. The testbed is not fit for anything else afterwards. */
export async function dependentPorts(
  testbed: TestbedDescription,
  onProgress: (step: string) => void,
): Promise<readonly DependentCell[]> {
  const [source, target] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  const ports = (Object.keys(DEPENDENTS) as Dependent[]).map(portOf);
  onProgress(`making ${ports.length} parents with a dependent port each, on ${source.name} and ${target.name}`);
  await makePorts(testbed, ports);

  const bindings = await watchAllBindings(testbed);
  const cells: DependentCell[] = [];
  for (const stage of STAGES) {
    onProgress(`looking at them: ${stage}`);
    await enter(stage, testbed, ports);
    const changes = new Map(ports.map(({ name }) => [name, bindings.of(name).claimed.list.length]));
    await sleep(WATCHED_MS);
    for (const port of ports) {
      const { list, last } = bindings.of(port.name).claimed;
      const claimed = [last?.chassis ?? [], last?.additionalChassis ?? []].flat();
      const claims = list.length - changes.get(port.name)!;
      cells.push({ dependent: port.dependent, stage, claimed, claims, ...(await lookAt(port, testbed)) });
    }
  }
  await bindings.stop();
  return cells;
}

async function enter(stage: Stage, testbed: TestbedDescription, ports: readonly Port[]): Promise<void> {
  const [source, target] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  switch (stage) {
    case 'pinned to the source':
      await request(testbed, ports, source.name);
      // A virtual port is bound by what its guest says of it (ovn-nb(5)).
      await announceFrom(source, ports, itself);
      break;
    case 'dual':
      await request(testbed, ports, `${source.name},${target.name}`, 'rarp');
      break;
    case 'RARP from the target':
      await announceFrom(target, ports, ({ parent, mac }) => [parent, announce('rarp', { mac, ipv4: '', ipv6: '' })]);
      break;
    case 'pinned to the target':
      await request(testbed, ports, target.name);
      break;
    case 'source unplugged':
      await run('ovs-vsctl', [
        `--db=${source.ovsdb}`,
        '--timeout=25',
        ...ports.flatMap(({ parent }) => ['--', 'del-port', 'br-int', parent]),
      ]);
      break;
    default:
      await announceFrom(
        target,
        ports.filter(({ announces }) => announces),
        itself,
      );
  }
  await portsHaveSettled(testbed.northbound);
}

/** A guest tells of a container's port by RARP with the tag, as QEMU does of its own, and of an address by ARP. */
function itself({ kind, parent, mac, ip }: Port): readonly [string, string] {
  if (kind === 'virtual') return [parent, announce('garp', { mac, ipv4: ip, ipv6: '' })];
  return [parent, tagged(announce('rarp', { mac, ipv4: '', ipv6: '' }), TAG)];
}

async function announceFrom(
  chassis: Chassis,
  ports: readonly Port[],
  frameOf: (port: Port) => readonly [string, string],
): Promise<void> {
  const numbers = await portNumbers(chassis);
  for (const [interfaceName, frame] of ports.map(frameOf)) await inject(chassis, numbers.get(interfaceName)!, frame);
}

async function lookAt(port: Port, { chassis }: TestbedDescription): Promise<Record<'reached' | 'sends', Sides>> {
  const [source, target, other] = chassis as readonly [Chassis, Chassis, Chassis];
  const arrived = async (at: Chassis, name: string) => (await delivered(at)).get(name) ?? 0;
  const before = { source: await arrived(source, port.parent), target: await arrived(target, port.parent) };
  await send(other, port.probe, port.to);
  const reached = {
    source: (await arrived(source, port.parent)) > before.source,
    target: (await arrived(target, port.parent)) > before.target,
  };
  const sends = { source: false, target: false };
  for (const [side, from] of [['source', source] as const, ['target', target] as const]) {
    const count = await arrived(other, port.probe);
    await send(from, port.parent, port.from);
    sends[side] = (await arrived(other, port.probe)) > count;
  }
  return { reached, sends };
}

/** Sends a few: the first through a tunnel is lost, it makes the switch ask for the other end's MAC. */
async function send(chassis: Chassis, interfaceName: string, frame: string): Promise<void> {
  const number = (await portNumbers(chassis)).get(interfaceName);
  if (number === undefined) return;
  for (let sent = 0; sent < FRAMES; sent++) {
    await inject(chassis, number, frame);
    await sleep(200);
  }
}

function portOf(dependent: Dependent, index: number): Port {
  const treatment = DEPENDENTS[dependent];
  const mac = `02:00:00:02:00:0${index}`;
  const probe = { mac: `02:00:00:02:02:0${index}`, ip: `10.61.0.${10 + index}` };
  const ip = `10.60.0.${100 + index}`;
  const broadcast = (sender: string) => `ffffffffffff${sender.replaceAll(':', '')}${ETHERTYPE}`.padEnd(120, '0');
  const frames =
    treatment.kind === 'virtual'
      ? {
          to: udp({ from: [probe.mac, probe.ip], to: [ROUTER_MACS.probe, ip] }),
          from: udp({ from: [mac, ip], to: [ROUTER_MACS.parent, probe.ip] }),
        }
      : { to: broadcast(probe.mac), from: tagged(broadcast(mac), TAG) };
  const names = { parent: `parent${index}`, name: `dependent${index}`, probe: `probe${index}` };
  return { dependent, ...treatment, ...names, mac, ip, probeAddresses: `${probe.mac} ${probe.ip}`, ...frames };
}

async function makePorts({ northbound, chassis }: TestbedDescription, ports: readonly Port[]): Promise<void> {
  const [source, target, other] = chassis as readonly [Chassis, Chassis, Chassis];
  const router = (name: string, mac: string, network: string) => [
    ...['--', 'lrp-add', 'router', `router-${name}`, mac, network, '--', 'lsp-add', name, `${name}-router`],
    ...['--', 'lsp-set-type', `${name}-router`, 'router', '--', 'lsp-set-addresses', `${name}-router`, 'router'],
    ...['--', 'lsp-set-options', `${name}-router`, `router-port=router-${name}`],
  ];
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...['ls-add', 'parents', '--', 'ls-add', 'virtual', '--', 'ls-add', 'probes', '--', 'lr-add', 'router'],
    ...router('virtual', ROUTER_MACS.parent, '10.60.0.1/24'),
    ...router('probes', ROUTER_MACS.probe, '10.61.0.1/24'),
    ...ports.flatMap(({ kind, parent, name, probe, probeAddresses, mac, ip }, index) => [
      ...['--', 'lsp-add', kind === 'virtual' ? 'virtual' : 'parents', parent],
      ...['--', 'lsp-set-addresses', parent, `${mac} 10.60.0.${10 + index}`],
      ...['--', 'lsp-set-options', parent, `requested-chassis=${source.name}`],
      ...(kind === 'virtual'
        ? [
            ...['--', 'lsp-add', 'virtual', name, '--', 'lsp-set-type', name, 'virtual'],
            ...['--', 'lsp-set-options', name, `virtual-ip=${ip}`, `virtual-parents=${parent}`],
            ...['--', 'lsp-add', 'probes', probe, '--', 'lsp-set-addresses', probe, probeAddresses],
          ]
        : [
            ...['--', 'ls-add', `vlan${index}`, '--', 'lsp-add', `vlan${index}`, name, parent, String(TAG)],
            ...['--', 'lsp-set-addresses', name, mac],
            ...['--', 'lsp-add', `vlan${index}`, probe, '--', 'lsp-set-addresses', probe, 'unknown'],
          ]),
    ]),
  ]);
  const parents = ports.map(({ parent }) => parent);
  const probes = ports.map(({ probe }) => probe);
  await Promise.all([plugInternal(source, parents), plugInternal(target, parents), plugInternal(other, probes)]);
  await portsHaveSettled(northbound);
}

async function request(
  { northbound }: TestbedDescription,
  ports: readonly Port[],
  chassis: string,
  strategy?: string,
): Promise<void> {
  const set = (name: string, held: boolean) => [
    ...['--', 'lsp-set-options', name, `requested-chassis=${chassis}`],
    ...(strategy && held ? [`activation-strategy=${strategy}`] : []),
  ];
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...ports.flatMap(({ parent, name, requested, held }) => [
      ...set(parent, true),
      ...(requested ? set(name, held) : []),
    ]),
  ]);
}
