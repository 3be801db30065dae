import { run, runIn } from './command.ts';
import type { Chassis, TestbedDescription } from './description.ts';
import { addPort } from './plug.ts';

/** The name of the physical network, as a localnet port has it in `network_name`. */
export const UNDERLAY = 'underlay';

/** Something with an address on the underlay: in a namespace of its own, with `eth0` as its only interface. */
export interface UnderlayHost {
  readonly netns: string;
  readonly mac: string;
  /** IPv4 address without prefix length; the network is a /24. */
  readonly ip: string;
}

/**
 * Gives a testbed a physical network: a bridge in the fabric's namespace, and on each chassis a `br-ex` with a leg on it,
 * which OVN's localnet ports lead to (`ovn-bridge-mappings`).
 */
export async function startUnderlay({ prefix, chassis }: TestbedDescription): Promise<void> {
  const fabric = fabricOf(prefix);
  await run('ip', ['-n', fabric, 'link', 'add', UNDERLAY, 'up', 'type', 'bridge']);
  for (const { node, netns, ovsdb } of chassis) {
    await connect({ netns: fabric, device: `under-${node}` }, { netns, device: UNDERLAY });
    await run('ip', ['-n', fabric, 'link', 'set', `under-${node}`, 'master', UNDERLAY]);
    await run('ovs-vsctl', [
      `--db=${ovsdb}`,
      '--timeout=20',
      ...['add-br', 'br-ex', '--', 'set', 'Bridge', 'br-ex', 'datapath_type=netdev'],
      ...['--', 'add-port', 'br-ex', UNDERLAY],
      ...['--', 'set', 'Open_vSwitch', '.', `external_ids:ovn-bridge-mappings=${UNDERLAY}:br-ex`],
    ]);
  }
}

/** Starts a host on the physical network itself, apart from OVN. */
export async function startPhysicalHost({ prefix }: TestbedDescription, host: UnderlayHost): Promise<void> {
  const fabric = fabricOf(prefix);
  await run('ip', ['netns', 'add', host.netns]);
  await connect({ netns: fabric, device: 'under-host' }, { netns: host.netns, device: 'eth0', mac: host.mac });
  await run('ip', ['-n', fabric, 'link', 'set', 'under-host', 'master', UNDERLAY]);
  await takeAddress(host);
}

/** Starts a host behind a logical switch port, without its address as yet. */
export async function plugHost(chassis: Chassis, host: UnderlayHost, port: string): Promise<void> {
  await run('ip', ['netns', 'add', host.netns]);
  await connect({ netns: chassis.netns, device: port }, { netns: host.netns, device: 'eth0', mac: host.mac });
  await addPort(chassis, port, port);
}

export async function takeAddress({ netns, ip }: UnderlayHost): Promise<void> {
  await run('ip', ['-n', netns, 'address', 'add', `${ip}/24`, 'brd', '+', 'dev', 'eth0']);
}

export async function giveAddressUp({ netns }: UnderlayHost): Promise<void> {
  await run('ip', ['-n', netns, 'address', 'flush', 'dev', 'eth0']);
}

/** The namespace that the chassis are joined in. */
export function fabricOf(prefix: string): string {
  return `${prefix}-fabric`;
}

interface End {
  readonly netns: string;
  readonly device: string;
  readonly mac?: string;
}

async function connect(near: End, far: End): Promise<void> {
  const address = far.mac ? ['address', far.mac] : [];
  const peer = ['peer', 'name', near.device, 'netns', near.netns];
  await run('ip', ['link', 'add', far.device, 'netns', far.netns, ...address, 'type', 'veth', ...peer]);
  for (const { netns, device } of [near, far]) {
    // What the kernel sends by itself would be counted too.
    await runIn(netns, 'sysctl', ['-qw', `net.ipv6.conf.${device}.disable_ipv6=1`]);
    // The userspace datapath computes no checksums for what the kernel left to be done by hardware.
    await runIn(netns, 'ethtool', ['-K', device, 'tx', 'off']);
    await run('ip', ['-n', netns, 'link', 'set', device, 'up']);
  }
}
