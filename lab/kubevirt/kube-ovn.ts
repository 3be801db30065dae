import type { GuestInterface } from '../testbed/description.ts';
import { vmOf } from './cni.ts';
import type { Context } from './context.ts';
import { MIGRATION_JOB_NAME } from './labels.ts';
import { isControlledBy, isLauncher, type Pod } from './objects.ts';

/**
 * Kube-OVN's controller, as far as it tells a VM's first pod its network identity. A migration's target pod gets
 * nothing from it here: that is what the hand-over is for.
 */
export function annotatePods({ cluster, testbed, lives }: Context): void {
  const isOfVmi = (pod: Pod) => cluster.vmis.all().some((vmi) => isControlledBy(pod, vmi));
  const isFirst = (pod: Pod) =>
    isLauncher(pod) && isOfVmi(pod) && pod.metadata.annotations?.[MIGRATION_JOB_NAME] === undefined;
  lives.onEach(
    () => cluster.pods.all().filter(isFirst),
    async (pod) => {
      const vm = vmOf(pod, testbed);
      const annotations = vm.interfaces.flatMap((nic) => Object.entries(identityOf(nic, vm)));
      await cluster.patchPod(pod, { metadata: { annotations: Object.fromEntries(annotations) } });
    },
  );
}

/** The annotations of one interface; their prefix is its network's provider. */
function identityOf(
  { ip, mac, logicalSwitch, attachment }: GuestInterface,
  vm: { name: string; namespace: string },
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
  };
  const provider = attachment === undefined ? 'ovn' : `${attachment}.${vm.namespace}.ovn`;
  return Object.fromEntries(
    Object.entries(identity).map(([key, value]) => [`${provider}.kubernetes.io/${key}`, value]),
  );
}
