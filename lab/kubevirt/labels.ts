/** Labels, annotations and finalizers of KubeVirt, of Kubernetes, and the lab's own. */
export const APP = 'kubevirt.io';
export const CREATED_BY = 'kubevirt.io/created-by';
export const NODE_NAME = 'kubevirt.io/nodeName';
export const MIGRATION_TARGET_NODE_NAME = 'kubevirt.io/migrationTargetNodeName';
export const MIGRATION_JOB_UID = 'kubevirt.io/migrationJobUID';
export const MIGRATION_JOB_NAME = 'kubevirt.io/migrationJobName';
export const VMI_NAME = 'kubevirt.io/vmi-name';

export const ALLOW_BRIDGE_MIGRATION = 'kubevirt.io/allow-pod-bridge-network-live-migration';
export const MIGRATION_TARGET_READY = 'kubevirt.io/migration-target-ready-timestamp';
export const UNSCHEDULABLE_TIMEOUT = 'kubevirt.io/migrationUnschedulablePodTimeoutSeconds';
export const PENDING_TIMEOUT = 'kubevirt.io/migrationPendingPodTimeoutSeconds';

export const NONROOT = 'kubevirt.io/nonroot';

/** The readiness gate of every launcher pod, whose condition virt-controller writes. */
export const UNPAUSED = 'kubevirt.io/virtual-machine-unpaused';

export const MIGRATION_FINALIZER = 'kubevirt.io/migrationJobFinalize';
export const VMI_FINALIZERS = [
  'kubevirt.io/virtualMachineControllerFinalize',
  'kubevirt.io/foregroundDeleteVirtualMachine',
];

/** KubeVirt's webhooks and controllers put these on every VMI and VMIM; they do not go on to pods. */
export const OBSERVED_VERSIONS = {
  'kubevirt.io/latest-observed-api-version': 'v1',
  'kubevirt.io/storage-observed-api-version': 'v1',
};

export const HOSTNAME = 'kubernetes.io/hostname';

/** On a VM's template: treat the VMI as one with hotplug volumes. */
export const HOTPLUG = 'lab.ovn-handover.dev/hotplug';

/** On a VM's template: its network is plain OVN, and no Kube-OVN writes to its pods and ports. */
export const PLAIN_OVN = 'lab.ovn-handover.dev/plain-ovn';

/** On a VMIM: its target may go to the source's node, as after a mistake of the scheduler (kubevirt/kubevirt#18946). */
export const SAME_NODE = 'lab.ovn-handover.dev/same-node';

/** Kube-OVN's own, on a pod: names of security groups with commas between them. */
export const SECURITY_GROUPS = 'ovn.kubernetes.io/security_groups';

/** On a VM: networks whose ARP requests its ports answer; and that Kube-OVN's copy of its ports does not follow the database. */
export const ARP_PROXY = 'lab.ovn-handover.dev/arp-proxy';
export const STALE_CACHE = 'lab.ovn-handover.dev/stale-cache';

/** On a VMIM, each with one of the steps of `pace.ts`: it stays there until the annotation goes, or it fails there. */
export const HOLD = 'lab.ovn-handover.dev/hold';
export const FAIL = 'lab.ovn-handover.dev/fail';
