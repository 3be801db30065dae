import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CENTRAL_ADDRESS, connectToFabric, connectToMigrations } from './central.ts';
import { run, runIn } from './command.ts';
import { startDaemon } from './daemon.ts';
import type { Chassis } from './description.ts';
import { type OvnSuite, runOvn } from './ovn-suite.ts';

/** Starts one chassis: its namespace with its legs on the networks, ovsdb-server, ovs-vswitchd and ovn-controller. */
export async function startChassis(chassis: Chassis, fabric: string, ovn: OvnSuite): Promise<void> {
  const { netns, directory } = chassis;
  await mkdir(directory, { recursive: true });
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  // By default Linux answers ARP for an address on any interface (ip-sysctl, arp_ignore). Then the leg answers for br-phy's
  // address too, with its own MAC, and a tunnel that learns that MAC carries nothing until it forgets it after 900 s.
  await runIn(netns, 'sysctl', ['-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await connectToFabric(fabric, netns, `to-${chassis.node}`);
  await connectToMigrations(fabric, netns, { name: `moves-${chassis.node}`, address: chassis.migrationAddress });
  await startSwitch(chassis, ovn);
  await takeFabricAddress(chassis);
  await vsctl(chassis, 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure');
  await startDaemon({ netns, ovn, program: 'ovn-controller', folder: directory }, [chassis.ovsdb]);
}

async function startSwitch(chassis: Chassis, ovn: OvnSuite): Promise<void> {
  const { netns, directory } = chassis;
  const file = join(directory, 'conf.db');
  await runOvn({ netns, ovn }, ['ovsdb-tool', 'create', file, '/usr/share/openvswitch/vswitch.ovsschema']);
  await startDaemon({ netns, ovn, program: 'ovsdb-server', folder: directory }, [`--remote=p${chassis.ovsdb}`, file]);
  await vsctl(chassis, '--no-wait', 'init');
  await vsctl(
    chassis,
    ...['--no-wait', 'set', 'Open_vSwitch', '.'],
    `external_ids:system-id=${chassis.name}`,
    `external_ids:hostname=${chassis.node}`,
    `external_ids:ovn-remote="tcp:${CENTRAL_ADDRESS}:6642"`,
    'external_ids:ovn-encap-type=geneve',
    `external_ids:ovn-encap-ip=${chassis.address}`,
    // The userspace datapath: the lab needs no kernel module of Open vSwitch.
    'external_ids:ovn-bridge-datapath-type=netdev',
  );
  await startDaemon({ netns, ovn, program: 'ovs-vswitchd', folder: directory }, [chassis.ovsdb]);
}

/** The userspace datapath finds a route for geneve only where the address sits on a bridge of its own. */
async function takeFabricAddress(chassis: Chassis): Promise<void> {
  const { netns } = chassis;
  const bridge = ['--', 'set', 'Bridge', 'br-phy', 'datapath_type=netdev'];
  await vsctl(chassis, 'add-br', 'br-phy', ...bridge, '--', 'add-port', 'br-phy', 'eth0');
  await run('ip', ['-n', netns, 'address', 'add', `${chassis.address}/24`, 'dev', 'br-phy']);
  await run('ip', ['-n', netns, 'link', 'set', 'br-phy', 'up']);
  await runIn(netns, 'ethtool', ['-K', 'br-phy', 'tx', 'off']);
}

async function vsctl(chassis: Chassis, ...args: string[]): Promise<string> {
  return run('ovs-vsctl', [`--db=${chassis.ovsdb}`, '--timeout=20', ...args]);
}
