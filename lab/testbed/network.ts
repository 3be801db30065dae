import { setTimeout as sleep } from 'node:timers/promises';
import { run, runIn } from './command.ts';
import type { Chassis, Client, ClientInterface, VmDescription } from './description.ts';
import { addPort } from './plug.ts';

/** Geneve takes 58 of the fabric's 1500 bytes; a round figure below is what a cluster's network would have. */
const MTU = '1400';

/** The client for these VMs: with an interface on each of their logical switches. */
export function describeClient(netns: string, vms: readonly VmDescription[]): Client {
  const byName = new Map(vms.flatMap(({ interfaces }) => interfaces).map((nic) => [nic.logicalSwitch, nic]));
  const interfaces = [...byName.values()].map(({ logicalSwitch, ip }, index) => ({
    port: index === 0 ? 'client' : `client${index + 1}`,
    logicalSwitch,
    mac: `02:00:00:00:${(index + 1).toString(16).padStart(2, '0')}:00`,
    ip: ip.replace(/\d+$/, '250'),
  }));
  return { netns, interfaces };
}

/**
 * The logical switches with their ports: one for each interface of the VMs, as Kube-OVN makes it for a VM's first pod
 * (unbound), and the client's.
 */
export async function makeLogicalSwitches(
  northbound: string,
  vms: readonly VmDescription[],
  client: Client,
): Promise<void> {
  const addPort = ({ logicalSwitch, port, mac, ip }: ClientInterface) => [
    ...['--', 'lsp-add', logicalSwitch, port],
    ...['--', 'lsp-set-addresses', port, `${mac} ${ip}`],
  ];
  const addVm = ({ namespace, name, interfaces }: VmDescription) =>
    interfaces.flatMap((nic) => [
      ...[...addPort(nic), '--', 'set', 'Logical_Switch_Port', nic.port, `external_ids:pod="${namespace}/${name}"`],
      ...[`external_ids:ls=${nic.logicalSwitch}`, 'external_ids:vendor=kube-ovn'],
    ]);
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...client.interfaces.flatMap((nic) => ['--', 'ls-add', nic.logicalSwitch, ...addPort(nic)]),
    ...vms.flatMap(addVm),
  ]);
}

/** The client's namespace and its interfaces, plugged into the chassis's `br-int`. */
export async function startClient({ netns, interfaces }: Client, chassis: Chassis): Promise<void> {
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  for (const [index, { port, mac, ip }] of interfaces.entries()) {
    const device = `eth${index}`;
    const peer = ['peer', 'name', port, 'netns', chassis.netns];
    await run('ip', ['link', 'add', device, 'netns', netns, 'address', mac, 'mtu', MTU, 'type', 'veth', ...peer]);
    await runIn(netns, 'ethtool', ['-K', device, 'tx', 'off']);
    await runIn(chassis.netns, 'ethtool', ['-K', port, 'tx', 'off']);
    await run('ip', ['-n', netns, 'address', 'add', `${ip}/24`, 'dev', device]);
    await run('ip', ['-n', netns, 'link', 'set', device, 'up']);
    await run('ip', ['-n', chassis.netns, 'link', 'set', port, 'up']);
    await addPort(chassis, port, port);
  }
}

/** Waits until the client's ports are up and their flows are installed on every chassis. */
export async function networkIsUp(northbound: string, { interfaces }: Client): Promise<void> {
  const nbctl = (...args: string[]) => run('ovn-nbctl', [`--db=${northbound}`, '--timeout=25', ...args]);
  for (const { port } of interfaces) await nbctl('wait-until', 'Logical_Switch_Port', port, 'up=true');
  await nbctl('--wait=hv', 'sync');
}

/** Waits, after ports were changed, until chassis have claimed them anew and have their flows; a claim follows the change. */
export async function portsHaveSettled(northbound: string): Promise<void> {
  const sync = () => run('ovn-nbctl', [`--db=${northbound}`, '--timeout=25', '--wait=hv', 'sync']);
  await sync();
  await sleep(1_000);
  await sync();
}
