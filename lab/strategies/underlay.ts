import { setTimeout as sleep } from 'node:timers/promises';
import { runningIn } from '../probe/child.ts';
import { run, runIn } from '../testbed/command.ts';
import type { Chassis, TestbedDescription } from '../testbed/description.ts';
import { portsHaveSettled } from '../testbed/network.ts';
import {
  fabricOf,
  giveAddressUp,
  plugHost,
  startPhysicalHost,
  startUnderlay,
  takeAddress,
  UNDERLAY,
  type UnderlayHost,
} from '../testbed/underlay.ts';
import { announce } from './announcements.ts';
import { inject, portNumbers } from './frames.ts';

/** What is done to the guest's port, in turn. The guest moves just before its RARP. */
export const STAGES = ['pinned to the source', 'dual, held', 'dual, opened', 'pinned to the target'] as const;
export type Stage = (typeof STAGES)[number];

/** Whom the guest talks to: VMs on the source's chassis, the target's and a third, and a host that is no part of OVN. */
export const PEERS = ['on the source', 'on the target', 'on another chassis', 'on the physical network'] as const;
export type Peer = (typeof PEERS)[number];

/** Greatest packets, in bytes of IP. */
export interface Mtus {
  /** Of the network that tunnels go through. */
  readonly fabric: number;
  /** Of the guest's interface on the chassis's side, which is what ovn-controller reads. */
  readonly plug: number;
  /** Of the guest itself and of whom it talks to. */
  readonly guest: number;
}

/** One direction between the guest and a peer, at one stage. */
export interface Path {
  readonly stage: Stage;
  readonly peer: Peer;
  readonly towards: 'guest' | 'peer';
  /** The greatest packet with DF that arrives, in bytes of IP. */
  readonly largest: number;
  /** What the sender of a greater one is told by ICMP (RFC 1191); `undefined` where it hears nothing. */
  readonly told: number | undefined;
  /** Whether 100 kB over a new TCP connection come back within 4 s. */
  readonly tcp: boolean;
}

const LOGICAL_SWITCH = 'underlay';
const PORT = 'guest';
const HEADERS = 28;
const LEAST = 1_000;
const TCP_BYTES = 100_000;
const TCP_WITHIN_S = 4;

/** Takes a guest on a localnet network through a hand-over. The testbed is not fit for anything else afterwards. */
export async function underlayPaths(
  testbed: TestbedDescription,
  mtus: Mtus,
  onProgress: (step: string) => void,
): Promise<readonly Path[]> {
  const [source, target] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  const { guests, peers } = await build(testbed, mtus);
  const paths: Path[] = [];
  let guest = guests.source;
  for (const stage of STAGES) {
    onProgress(`measuring what passes: ${stage}`);
    switch (stage) {
      case 'pinned to the source':
        break;
      case 'dual, held':
        await request(testbed, `${source.name},${target.name}`, 'activation-strategy=rarp');
        break;
      case 'dual, opened':
        await giveAddressUp(guests.source);
        await takeAddress(guests.target);
        guest = guests.target;
        await inject(
          target,
          (await portNumbers(target)).get(PORT)!,
          announce('rarp', { mac: guest.mac, ipv4: '', ipv6: '' }),
        );
        break;
      case 'pinned to the target':
        await request(testbed, target.name);
    }
    await portsHaveSettled(testbed.northbound);
    for (const peer of PEERS) {
      const other = peers[peer];
      paths.push({ stage, peer, towards: 'guest', ...(await measure(other, guest, mtus.guest)) });
      paths.push({ stage, peer, towards: 'peer', ...(await measure(guest, other, mtus.guest)) });
    }
  }
  return paths;
}

async function measure(
  from: UnderlayHost,
  to: UnderlayHost,
  mtu: number,
): Promise<Pick<Path, 'largest' | 'told' | 'tcp'>> {
  // The first through a tunnel is lost: it makes the switch ask for the other end's MAC.
  for (let first = 0; first < 3; first++) await arrives(from, to, LEAST);
  const { arrived, told } = await arrives(from, to, mtu);
  let [passes, doesNot] = arrived ? [mtu, mtu + 1] : [LEAST, mtu];
  while (doesNot - passes > 1) {
    const size = (passes + doesNot) >> 1;
    if ((await arrives(from, to, size)).arrived) passes = size;
    else doesNot = size;
  }
  return { largest: passes, told, tcp: await echoes(from, to) };
}

/** Sends an echo request of this size with DF. What arrived is counted there: the answer is as big, and may be lost itself. */
async function arrives(from: UnderlayHost, to: UnderlayHost, size: number) {
  await forgetPathMtu(from);
  const before = await echoRequests(to);
  const ping = ['-n', '-M', 'do', '-c', '1', '-W', '0.3', '-s', String(size - HEADERS), to.ip];
  const said = await runIn(from.netns, 'sh', ['-c', 'ping "$@" || true', 'ping', ...ping]);
  const told = /Frag needed and DF set \(mtu = (\d+)\)/.exec(said)?.[1];
  return { arrived: (await echoRequests(to)) > before, told: told === undefined ? undefined : Number(told) };
}

/** ICMP messages of type 8 that a host has got so far (proc_net(5), snmp). */
async function echoRequests({ netns }: UnderlayHost): Promise<number> {
  const lines = (await runIn(netns, 'cat', ['/proc/net/snmp']))
    .split('\n')
    .filter((line) => line.startsWith('IcmpMsg:'));
  const [names, values] = lines.map((line) => line.split(' '));
  return Number(values?.[names!.indexOf('InType8')] ?? 0);
}

/** Tries twice: where packets vanish both fail, and where a busy machine lost some only one. */
async function echoes(from: UnderlayHost, to: UnderlayHost): Promise<boolean> {
  return (await echoesOnce(from, to)) || (await echoesOnce(from, to));
}

async function echoesOnce(from: UnderlayHost, to: UnderlayHost): Promise<boolean> {
  await forgetPathMtu(from);
  await forgetPathMtu(to);
  const server = await runningIn(to.netns, 'busybox', ['nc', '-ll', '-p', '7', '-e', 'sh', '-c', 'cat 2>/dev/null']);
  await sleep(100);
  const talk = `head -c ${TCP_BYTES} /dev/zero | timeout ${TCP_WITHIN_S} busybox nc ${to.ip} 7 | head -c ${TCP_BYTES} | wc -c`;
  const came = await runIn(from.netns, 'sh', ['-c', talk]);
  server.kill();
  return Number(came) === TCP_BYTES;
}

async function forgetPathMtu({ netns }: UnderlayHost): Promise<void> {
  await run('ip', ['-n', netns, 'route', 'flush', 'cache']);
}

async function build(testbed: TestbedDescription, mtus: Mtus) {
  const { prefix, northbound } = testbed;
  const [source, target, other] = testbed.chassis as readonly [Chassis, Chassis, Chassis];
  const host = (name: string, index: number): UnderlayHost => ({
    netns: `${prefix}-${name}`,
    mac: `02:00:00:03:00:0${index}`,
    ip: `10.70.0.${10 + index}`,
  });
  const guests = { source: host('guest-source', 0), target: host('guest-target', 0) };
  const peers: Record<Peer, UnderlayHost> = {
    'on the source': host('peer1', 1),
    'on the target': host('peer2', 2),
    'on another chassis': host('peer3', 3),
    'on the physical network': host('physical', 4),
  };
  const plugged = [
    { chassis: source, port: 'peer1', host: peers['on the source'] },
    { chassis: target, port: 'peer2', host: peers['on the target'] },
    { chassis: other, port: 'peer3', host: peers['on another chassis'] },
  ];
  await startUnderlay(testbed);
  await setFabricMtu(testbed, mtus.fabric);
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...[
      'ls-add',
      LOGICAL_SWITCH,
      '--',
      'lsp-add',
      LOGICAL_SWITCH,
      'localnet',
      '--',
      'lsp-set-type',
      'localnet',
      'localnet',
    ],
    ...[
      '--',
      'lsp-set-addresses',
      'localnet',
      'unknown',
      '--',
      'lsp-set-options',
      'localnet',
      `network_name=${UNDERLAY}`,
    ],
    ...[{ port: PORT, host: guests.source }, ...plugged].flatMap(({ port, host: { mac, ip } }) => [
      ...['--', 'lsp-add', LOGICAL_SWITCH, port, '--', 'lsp-set-addresses', port, `${mac} ${ip}`],
    ]),
    ...['--', 'lsp-set-options', PORT, `requested-chassis=${source.name}`],
  ]);
  for (const { chassis, port, host } of [
    { chassis: source, port: PORT, host: guests.source },
    { chassis: target, port: PORT, host: guests.target },
    ...plugged,
  ]) {
    await plugHost(chassis, host, port);
    if (port === PORT) await run('ip', ['-n', chassis.netns, 'link', 'set', port, 'mtu', String(mtus.plug)]);
    if (host !== guests.target) await takeAddress(host);
  }
  await startPhysicalHost(testbed, peers['on the physical network']);
  for (const { netns } of [...Object.values(guests), ...Object.values(peers)]) {
    await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'mtu', String(mtus.guest)]);
  }
  return { guests, peers };
}

async function setFabricMtu({ prefix, chassis }: TestbedDescription, mtu: number): Promise<void> {
  for (const { node, netns, ovsdb } of chassis) {
    await run('ip', ['-n', fabricOf(prefix), 'link', 'set', `to-${node}`, 'mtu', String(mtu)]);
    await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'mtu', String(mtu)]);
    await run('ovs-vsctl', [`--db=${ovsdb}`, '--timeout=10', 'set', 'Interface', 'br-phy', `mtu_request=${mtu}`]);
  }
  await run('ip', ['-n', fabricOf(prefix), 'link', 'set', 'fabric', 'mtu', String(mtu)]);
}

async function request({ northbound }: TestbedDescription, chassis: string, ...strategy: string[]): Promise<void> {
  await run('ovn-nbctl', [`--db=${northbound}`, 'lsp-set-options', PORT, `requested-chassis=${chassis}`, ...strategy]);
}
