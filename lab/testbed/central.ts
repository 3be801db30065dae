import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runIn } from './command.ts';
import { startDaemon } from './daemon.ts';
import { type OvnSuite, runOvn } from './ovn-suite.ts';

/** Address of OVN's central on the fabric; every chassis reaches the southbound database there. */
export const CENTRAL_ADDRESS = '10.250.0.1';

/** The bridges in the fabric's namespace that join the chassis, as a data centre's networks do. */
const BRIDGES = ['fabric', 'migrations'] as const;

/**
 * Starts the fabric and, in its namespace, the two OVN databases and northd. The databases listen on
 * `<directory>/nb.sock` and `<directory>/sb.sock`, the southbound one also on the fabric.
 */
export async function startCentral(central: { directory: string; netns: string; ovn: OvnSuite }): Promise<void> {
  const { directory, netns, ovn } = central;
  const folder = join(directory, 'central');
  await mkdir(folder, { recursive: true });
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  for (const bridge of BRIDGES) await run('ip', ['-n', netns, 'link', 'add', bridge, 'up', 'type', 'bridge']);
  await run('ip', ['-n', netns, 'address', 'add', `${CENTRAL_ADDRESS}/24`, 'dev', 'fabric']);
  await Promise.all([
    startDatabase({ ...central, folder }, 'nb', [`--remote=punix:${join(directory, 'nb.sock')}`]),
    startDatabase({ ...central, folder }, 'sb', [
      `--remote=punix:${join(directory, 'sb.sock')}`,
      '--remote=ptcp:6642:0.0.0.0',
    ]),
  ]);
  await runOvn({ netns, ovn }, ['ovn-nbctl', `--db=unix:${join(directory, 'nb.sock')}`, 'init']);
  await runOvn({ netns, ovn }, ['ovn-sbctl', `--db=unix:${join(directory, 'sb.sock')}`, 'init']);
  await startDaemon({ netns, ovn, program: 'ovn-northd', folder }, [
    `--ovnnb-db=unix:${join(directory, 'nb.sock')}`,
    `--ovnsb-db=unix:${join(directory, 'sb.sock')}`,
  ]);
}

/** Gives a namespace a leg on the fabric, named `eth0` in there. */
export async function connectToFabric(fabric: string, netns: string, name: string): Promise<void> {
  await connect('fabric', fabric, netns, { name, device: 'eth0' });
  // The userspace datapath computes no checksums for what the kernel left to be done by hardware.
  await runIn(fabric, 'ethtool', ['-K', name, 'tx', 'off']);
  await runIn(netns, 'ethtool', ['-K', 'eth0', 'tx', 'off']);
}

/**
 * Gives a namespace a leg, named `migrations` in there, on the network where guests' memory goes. In a cluster too it may
 * have one of its own (KubeVirt's `migrations.network`). Here it has, because the fabric's userspace datapath loses packets when
 * QEMU sends at full speed, and a guest stands still until the last has been sent again: after 200 ms, Linux's least
 * retransmission timeout (tcp(7), RFC 6298).
 */
export async function connectToMigrations(
  fabric: string,
  netns: string,
  { name, address }: { name: string; address: string },
): Promise<void> {
  await connect('migrations', fabric, netns, { name, device: 'migrations' });
  await run('ip', ['-n', netns, 'address', 'add', `${address}/24`, 'dev', 'migrations']);
}

async function connect(
  bridge: (typeof BRIDGES)[number],
  fabric: string,
  netns: string,
  { name, device }: { name: string; device: string },
): Promise<void> {
  // Both ends are made in place, so that no name has to be free in the machine's own namespace.
  const peer = ['peer', 'name', device, 'netns', netns];
  await run('ip', ['link', 'add', name, 'netns', fabric, 'type', 'veth', ...peer]);
  await run('ip', ['-n', fabric, 'link', 'set', name, 'master', bridge, 'up']);
  await run('ip', ['-n', netns, 'link', 'set', device, 'up']);
}

async function startDatabase(
  { netns, ovn, folder }: { netns: string; ovn: OvnSuite; folder: string },
  name: 'nb' | 'sb',
  remotes: string[],
): Promise<void> {
  const file = join(folder, `${name}.db`);
  await runOvn({ netns, ovn }, ['ovsdb-tool', 'create', file, `/usr/share/ovn/ovn-${name}.ovsschema`]);
  await startDaemon({ netns, ovn, program: 'ovsdb-server', folder, name }, [...remotes, file]);
}
