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

export const MIGRATION_FINALIZER = 'kubevirt.io/migrationJobFinalize';
export const VMI_FINALIZERS = [
  'kubevirt.io/virtualMachineControllerFinalize',
  'kubevirt.io/foregroundDeleteVirtualMachine',
];

export const HOSTNAME = 'kubernetes.io/hostname';

/** On a VM's template: treat the VMI as one with hotplug volumes. */
export const HOTPLUG = 'lab.ovn-handover.dev/hotplug';

/** On a VMIM, each with one of the steps of `pace.ts`: it stays there until the annotation goes, or it fails there. */
export const HOLD = 'lab.ovn-handover.dev/hold';
export const FAIL = 'lab.ovn-handover.dev/fail';
