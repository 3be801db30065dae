import { run, runIn } from './command.ts';
import type { Chassis, Client, GuestInterface } from './description.ts';
import { addPort } from './plug.ts';

/** Geneve takes 58 of the fabric's 1500 bytes; a round figure below is what a cluster's network would have. */
const MTU = '1400';

const CLIENT = { port: 'client', mac: '02:00:00:00:00:64' };

/**
 * The logical switch with two ports: the guest's, as Kube-OVN makes it for the VM's first pod (unbound), and the
 * client's.
 */
export async function makeLogicalSwitch(northbound: string, guest: GuestInterface, client: Client): Promise<void> {
  const [namespace, vm] = guest.port.split('.').reverse();
  const { logicalSwitch, port } = guest;
  await run('ovn-nbctl', [
    `--db=${northbound}`,
    ...['ls-add', logicalSwitch],
    ...['--', 'lsp-add', logicalSwitch, port],
    ...['--', 'lsp-set-addresses', port, `${guest.mac} ${guest.ip}`],
    ...['--', 'set', 'Logical_Switch_Port', port],
    ...[`external_ids:pod="${namespace}/${vm}"`, `external_ids:ls=${logicalSwitch}`, 'external_ids:vendor=kube-ovn'],
    ...['--', 'lsp-add', logicalSwitch, CLIENT.port],
    ...['--', 'lsp-set-addresses', CLIENT.port, `${CLIENT.mac} ${client.address}`],
  ]);
}

/** The client's namespace, and its one interface, plugged into the chassis's `br-int`. */
export async function startClient(client: Client, chassis: Chassis): Promise<void> {
  const { netns, address } = client;
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  const peer = ['peer', 'name', 'client', 'netns', chassis.netns];
  await run('ip', ['link', 'add', 'eth0', 'netns', netns, 'address', CLIENT.mac, 'mtu', MTU, 'type', 'veth', ...peer]);
  await runIn(netns, 'ethtool', ['-K', 'eth0', 'tx', 'off']);
  await runIn(chassis.netns, 'ethtool', ['-K', 'client', 'tx', 'off']);
  await run('ip', ['-n', netns, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
  await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
  await run('ip', ['-n', chassis.netns, 'link', 'set', 'client', 'up']);
  await addPort(chassis, 'client', CLIENT.port);
}

/** Waits until the client's port is up and its flows are installed on every chassis. */
export async function networkIsUp(northbound: string): Promise<void> {
  const nbctl = (...args: string[]) => run('ovn-nbctl', [`--db=${northbound}`, '--timeout=25', ...args]);
  await nbctl('wait-until', 'Logical_Switch_Port', CLIENT.port, 'up=true');
  await nbctl('--wait=hv', 'sync');
}
