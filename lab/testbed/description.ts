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
  /** Its address on the fabric: geneve end point, and where a migrating guest's memory arrives. */
  readonly address: string;
  /** Folder of its sockets, logs and pid files. */
  readonly directory: string;
}

/** A network namespace with one plain interface on the logical switch: something to ping from. */
export interface Client {
  readonly netns: string;
  readonly address: string;
}

/** A network interface of the VM: its logical switch port exists before the VM runs. */
export interface GuestInterface {
  /** Name of the logical switch port, which is also the `iface-id` of its plug. */
  readonly port: string;
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
  /** Northbound remote, `unix:<directory>/nb.sock`. */
  readonly northbound: string;
  /** Southbound remote, `unix:<directory>/sb.sock`. */
  readonly southbound: string;
  readonly chassis: readonly Chassis[];
  readonly client: Client;
  readonly guest: GuestInterface;
}
