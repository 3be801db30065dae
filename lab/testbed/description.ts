import type { OvnSuite } from './ovn-suite.ts';

/** One OVN chassis in a network namespace of its own; it plays one Kubernetes node. */
export interface Chassis {
  /** Kubernetes node name, also the chassis's `external_ids:hostname`. */
  readonly node: string;
  /** Chassis name in the southbound database (`external_ids:system-id`); never equal to `node`. */
  readonly name: string;
  /** Network namespace that holds its ovs-vswitchd, ovn-controller, taps and guests. */
  readonly netns: string;
  /** Remote of its own ovsdb-server, e.g. `unix:/…/node1/db.sock`. */
  readonly ovsdb: string;
  /** Its address on the fabric, the geneve end point. */
  readonly address: string;
  /** Where a migrating guest's memory arrives: its address on the network for migrations. */
  readonly migrationAddress: string;
  /** Folder of its sockets, logs and pid files. */
  readonly directory: string;
}

/** A network namespace with a plain interface on each logical switch: something to ping from. */
export interface Client {
  readonly netns: string;
  /** Named `eth0`, `eth1`, … in its namespace. */
  readonly interfaces: readonly ClientInterface[];
}

export interface ClientInterface {
  /** Name of its logical switch port. */
  readonly port: string;
  readonly logicalSwitch: string;
  readonly mac: string;
  /** IPv4 address without prefix length; the switch is a /24. */
  readonly ip: string;
}

/** A VM, with or without a guest: its logical switch ports exist before it runs. */
export interface VmDescription {
  readonly namespace: string;
  readonly name: string;
  /** The first is on the pod network, the others on networks that Multus attaches. */
  readonly interfaces: readonly [GuestInterface, ...GuestInterface[]];
}

/** A network interface of a VM. */
export interface GuestInterface {
  /** Name of the logical switch port, which is also the `iface-id` of its plug; Kube-OVN's way of naming it. */
  readonly port: string;
  /** Name of its NetworkAttachmentDefinition, in the VM's namespace; none for the pod network. */
  readonly attachment?: string;
  readonly logicalSwitch: string;
  readonly mac: string;
  /** IPv4 address without prefix length; the switch is a /24. */
  readonly ip: string;
}

/** All that another process has to know of a standing testbed; stored as `<directory>/testbed.json`. */
export interface TestbedDescription {
  readonly directory: string;
  /** Each of its network namespaces is named `<prefix>-…`. */
  readonly prefix: string;
  /** Whose OVN and Open vSwitch run. */
  readonly ovn: OvnSuite;
  /** Northbound remote, `unix:<directory>/nb.sock`. */
  readonly northbound: string;
  /** Southbound remote, `unix:<directory>/sb.sock`. */
  readonly southbound: string;
  readonly chassis: readonly Chassis[];
  readonly client: Client;
  readonly vms: readonly [VmDescription, ...VmDescription[]];
}

/**
 * A VM as the testbed can have it: its first interface is on the logical switch `ovn-default`, the next on `net2`, and
 * so on.
 *
 * @param index tells its addresses from those of the testbed's other VMs; from 0 to 239, since each logical switch has room for the addresses 10 to 249.
 */
export function describeVm({
  name = 'web-01',
  namespace = 'prod',
  nics = 1,
  index = 0,
}: {
  name?: string;
  namespace?: string;
  nics?: number;
  index?: number;
} = {}): VmDescription {
  const nic = (number: number): GuestInterface => ({
    port: `${name}.${namespace}`,
    logicalSwitch: 'ovn-default',
    ...(number > 1 && attachedTo(`net${number}`, { name, namespace })),
    mac: `02:00:00:00:${hex(number - 1)}:${hex(index + 1)}`,
    ip: `10.${15 + number}.0.${10 + index}`,
  });
  return { namespace, name, interfaces: [nic(1), ...Array.from({ length: nics - 1 }, (_, more) => nic(more + 2))] };
}

/** Kube-OVN's provider of an attached network is `<attachment>.<namespace>.ovn`. */
function attachedTo(attachment: string, { name, namespace }: { name: string; namespace: string }) {
  return {
    port: `${name}.${namespace}.${attachment}.${namespace}.ovn`,
    logicalSwitch: attachment,
    attachment,
  };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
