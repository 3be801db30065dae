import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromWireMap, OvsdbClient, toWireMap } from 'ovsdb-client-ts';
import { run } from '../../testbed/command.ts';
import type { Port } from './identity.ts';

/** The node's own Open vSwitch. */
const OVSDB = { remote: 'unix:/run/chassis/db.sock', database: 'Open_vSwitch' };
const BRIDGE = 'br-int';
/** As the client's interface has it: geneve takes 58 of the fabric's 1500 bytes. */
const MTU = '1400';
const PREFIX_LENGTH = 24;
/** As Kube-OVN's. */
const INSTALLED_WITHIN_MS = 30_000;
const INSTALLED_POLL_MS = 500;

interface Interface {
  /** Path of the pod's network namespace. */
  readonly netns: string;
  /** Its name in there. */
  readonly name: string;
  /** Name of the other end. */
  readonly device: string;
}

/**
 * Gives a pod an interface that is on `br-int` as this port; resolves to the CNI result. As with Kube-OVN's, the pod's kernel
 * has no address before ovn-controller has installed the port's flows: until those that hold a migration's target closed are
 * there, the target is open, and would answer for the guest.
 */
export async function plug({ ifaceId, mac, ip }: Port, { netns, name, device }: Interface): Promise<object> {
  const inside = basename(netns);
  const gateway = ip.replace(/\d+$/, '1');
  const peer = ['peer', 'name', device, 'mtu', MTU];
  await run('ip', ['link', 'add', name, 'netns', inside, 'address', mac, 'mtu', MTU, 'type', 'veth', ...peer]);
  // The userspace datapath computes no checksums for what the kernel left to be done by hardware.
  await run('ip', ['netns', 'exec', inside, 'ethtool', '-K', name, 'tx', 'off']);
  await run('ethtool', ['-K', device, 'tx', 'off']);
  await run('ip', ['link', 'set', device, 'up']);
  await addPort(device, ifaceId);
  await isInstalled(device);
  const set = (...args: string[]) => run('ip', ['-n', inside, ...args]);
  await set('address', 'add', `${ip}/${PREFIX_LENGTH}`, 'dev', name);
  await set('link', 'set', name, 'up');
  // KubeVirt's bridge binding hands the route on to the guest, and does not do without one.
  await set('route', 'add', 'default', 'via', gateway);
  return {
    interfaces: [{ name: device }, { name, mac, sandbox: netns }],
    ips: [{ interface: 1, address: `${ip}/${PREFIX_LENGTH}`, gateway }],
    routes: [{ dst: '0.0.0.0/0', gw: gateway }],
  };
}

/** Takes an interface off `br-int` and deletes it; nothing happens if there is none. */
export async function unplug(device: string): Promise<void> {
  await using client = new OvsdbClient(OVSDB);
  const [found] = await client.transact([
    { op: 'select', table: 'Port', where: [['name', '==', device]], columns: ['_uuid'] },
  ]);
  for (const { _uuid } of found!.rows ?? []) {
    await client.transact([
      { op: 'mutate', table: 'Bridge', where: [['name', '==', BRIDGE]], mutations: [['ports', 'delete', _uuid!]] },
    ]);
  }
  await run('ip', ['link', 'delete', device]).catch((error: Error) => {
    if (!/Cannot find device/.test(error.message)) throw error;
  });
}

/** Resolves when ovn-controller says that the port's flows are there. @throws Error where it does not say so for long */
async function isInstalled(device: string): Promise<void> {
  await using client = new OvsdbClient(OVSDB);
  const giveUpAt = Date.now() + INSTALLED_WITHIN_MS;
  for (;;) {
    const [found] = await client.transact([
      { op: 'select', table: 'Interface', where: [['name', '==', device]], columns: ['external_ids'] },
    ]);
    if (fromWireMap(found!.rows![0]!.external_ids!).get('ovn-installed') === 'true') return;
    if (Date.now() > giveUpAt) throw new Error(`${device} is not installed by OVN after ${INSTALLED_WITHIN_MS} ms`);
    await sleep(INSTALLED_POLL_MS);
  }
}

async function addPort(device: string, port: string): Promise<void> {
  await using client = new OvsdbClient(OVSDB);
  await client.transact([
    {
      op: 'insert',
      table: 'Interface',
      row: { name: device, external_ids: toWireMap({ 'iface-id': port }) },
      'uuid-name': 'interface',
    },
    {
      op: 'insert',
      table: 'Port',
      row: { name: device, interfaces: ['named-uuid', 'interface'] },
      'uuid-name': 'port',
    },
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', BRIDGE]],
      mutations: [['ports', 'insert', ['named-uuid', 'port']]],
    },
  ]);
}
