import type { GuestInterface, VmDescription } from '../../testbed/description.ts';
import type { Pod } from '../objects.ts';

/**
 * The annotations that give a VM's pod its network identity: the same for each of its pods, a target that waits at its
 * gates included. The node's routes are made, and `routed` is said, as soon as the pod has a node.
 */
export function identityOf(pod: Pod, vm: VmDescription): Record<string, string> {
  const isScheduled = pod.spec.nodeName !== undefined;
  return Object.assign({}, ...vm.interfaces.map((nic) => annotationsOf(nic, vm, isScheduled)));
}

/** Those of one interface; their prefix is its network's provider. */
function annotationsOf(
  { ip, mac, logicalSwitch, attachment }: GuestInterface,
  vm: VmDescription,
  isScheduled: boolean,
): Record<string, string> {
  const network = ip.split('.').slice(0, 3).join('.');
  const identity = {
    allocated: 'true',
    ip_address: ip,
    mac_address: mac,
    cidr: `${network}.0/24`,
    gateway: `${network}.1`,
    logical_switch: logicalSwitch,
    pod_nic_type: 'veth-pair',
    virtualmachine: vm.name,
    ...(isScheduled && { routed: 'true' }),
  };
  const provider = attachment === undefined ? 'ovn' : `${attachment}.${vm.namespace}.ovn`;
  return Object.fromEntries(
    Object.entries(identity).map(([key, value]) => [`${provider}.kubernetes.io/${key}`, value]),
  );
}
