import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../testbed/command.ts';
import type { Chassis, TestbedDescription } from '../testbed/description.ts';
import { portsHaveSettled } from '../testbed/network.ts';
import { announce } from './announcements.ts';
import type { Sides } from './dependents.ts';
import { delivered, inject, plugInternal, portNumbers } from './frames.ts';

/** What another controller takes from a dual port's options, and whether the guest had been announced on the target by then. */
export const STRIPS = {
  'both options, before the RARP': { announced: false, leaves: [] },
  'both options, after the RARP': { announced: true, leaves: [] },
  'the strategy, before the RARP': { announced: false, leaves: ['requested-chassis'] },
  'the strategy, after the RARP': { announced: true, leaves: ['requested-chassis'] },
} as const;
export type Strip = keyof typeof STRIPS;

/** The one write that puts a binding back. */
export const MENDS = ['dual and held', 'dual and open', 'pinned to the target', 'pinned to the source'] as const;
export type Mend = (typeof MENDS)[number];

/** One port that was stripped and mended. */
export interface StripCell {
  readonly strip: Strip;
  readonly mend: Mend;
  /** Which sides a frame reaches once the mend has settled. */
  readonly mended: Sides;
  /** The same after one more RARP from the target. */
  readonly announced: Sides;
}

interface Port {
  readonly name: string;
  readonly mac: string;
  readonly strip: Strip;
  readonly mend: Mend;
}

const SWITCH = 'stripped';
const PROBE = 'stripped-probe';
/** Broadcast, of an ethertype for experiments (IEEE 802). */
const BROADCAST = 'ffffffffffff0200000004ff88b5'.padEnd(120, '0');
const FRAMES = 4;
/** Long enough for the two chassis to claim a stripped port in turn. */
const STRIPPED_MS = 1_500;

/** Strips dual ports, and mends each by one write. The testbed is not fit for anything else afterwards. */
export async function strippedPorts(
  testbed: TestbedDescription,
  onProgress: (step: string) => void,
): Promise<readonly StripCell[]> {
  const [, target] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  const ports = (Object.keys(STRIPS) as Strip[])
    .flatMap((strip) => MENDS.map((mend) => ({ strip, mend })))
    .map((port, index) => ({
      ...port,
      name: `stripped${index}`,
      mac: `02:00:00:04:00:${index.toString(16).padStart(2, '0')}`,
    }));
  onProgress(`making ${ports.length} ports, dual and held`);
  await makePorts(testbed, ports);

  onProgress('stripping them, where it says so after the RARP');
  const early = ports.filter(({ strip }) => STRIPS[strip].announced);
  await announceAll(target, early);
  await portsHaveSettled(testbed.northbound);
  await setOptions(testbed, ports, ({ strip }) => ({
    chassis: STRIPS[strip].leaves.length > 0 ? 'both' : undefined,
    held: false,
  }));
  await sleep(STRIPPED_MS);

  onProgress('mending each by one write, and looking what it reaches');
  await setOptions(testbed, ports, ({ mend }) => wanted(mend));
  await portsHaveSettled(testbed.northbound);
  const mended = await reached(testbed, ports);
  await announceAll(target, ports);
  await sleep(1_000);
  const announced = await reached(testbed, ports);
  return ports.map(({ strip, mend }, index) => ({
    strip,
    mend,
    mended: mended[index]!,
    announced: announced[index]!,
  }));
}

interface Wanted {
  readonly chassis: 'both' | 'source' | 'target' | undefined;
  readonly held: boolean;
}

function wanted(mend: Mend): Wanted {
  if (mend === 'pinned to the source') return { chassis: 'source', held: false };
  if (mend === 'pinned to the target') return { chassis: 'target', held: false };
  return { chassis: 'both', held: mend === 'dual and held' };
}

async function setOptions(
  { northbound, chassis }: TestbedDescription,
  ports: readonly Port[],
  wantedOf: (port: Port) => Wanted,
): Promise<void> {
  const [source, target] = chassis as readonly [Chassis, Chassis, Chassis];
  const names = { both: `${source.name},${target.name}`, source: source.name, target: target.name };
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...ports.flatMap((port) => {
      const { chassis: requested, held } = wantedOf(port);
      return [
        ...['--', 'lsp-set-options', port.name],
        ...(requested ? [`requested-chassis=${names[requested]}`] : []),
        ...(held ? ['activation-strategy=rarp'] : []),
      ];
    }),
  ]);
}

async function makePorts(testbed: TestbedDescription, ports: readonly Port[]): Promise<void> {
  const { northbound, chassis } = testbed;
  const [source, target, other] = chassis as readonly [Chassis, Chassis, Chassis];
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...['ls-add', SWITCH, '--', 'lsp-add', SWITCH, PROBE, '--', 'lsp-set-addresses', PROBE, 'unknown'],
    ...ports.flatMap(({ name, mac }) => [
      ...['--', 'lsp-add', SWITCH, name, '--', 'lsp-set-addresses', name, mac],
      ...['--', 'lsp-set-options', name, `requested-chassis=${source.name}`],
    ]),
  ]);
  const names = ports.map(({ name }) => name);
  await Promise.all([plugInternal(source, names), plugInternal(target, names), plugInternal(other, [PROBE])]);
  await portsHaveSettled(northbound);
  await setOptions(testbed, ports, () => wanted('dual and held'));
  await portsHaveSettled(northbound);
}

async function announceAll(target: Chassis, ports: readonly Port[]): Promise<void> {
  const numbers = await portNumbers(target);
  for (const { name, mac } of ports) {
    await inject(target, numbers.get(name)!, announce('rarp', { mac, ipv4: '', ipv6: '' }));
  }
}

/** The sides at which a broadcast from a third chassis arrives, by port. */
async function reached({ chassis }: TestbedDescription, ports: readonly Port[]): Promise<readonly Sides[]> {
  const [source, target, other] = chassis as readonly [Chassis, Chassis, Chassis];
  const count = async () => ({ source: await delivered(source), target: await delivered(target) });
  const before = await count();
  const probe = (await portNumbers(other)).get(PROBE)!;
  // The first through a tunnel is lost: it makes the switch ask for the other end's MAC.
  for (let sent = 0; sent < FRAMES; sent++) {
    await inject(other, probe, BROADCAST);
    await sleep(250);
  }
  const after = await count();
  const grew = (side: 'source' | 'target', name: string) => after[side].get(name)! > before[side].get(name)!;
  return ports.map(({ name }) => ({ source: grew('source', name), target: grew('target', name) }));
}
