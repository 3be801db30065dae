/** The parts of Kubernetes' and KubeVirt's objects that anybody here reads or writes, in the words of their APIs. */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller: boolean;
  }[];
}

export interface Vmi {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly networks?: readonly { readonly name: string }[] };
  readonly status: {
    readonly phase: string;
    readonly nodeName?: string;
    readonly activePods?: Readonly<Record<string, string>>;
    readonly migrationState?: Readonly<Record<string, string | boolean>>;
  };
}

export interface Vmim {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly vmiName: string; readonly receive?: { readonly migrationID: string } };
  readonly status: { readonly phase?: string; readonly migrationState?: object };
}

export interface Pod {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly nodeName?: string; readonly schedulingGates?: readonly { readonly name: string }[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly object[];
    readonly containerStatuses?: readonly object[];
  };
}

export type KubernetesObject = Vmi | Vmim | Pod;
export type Kind = 'VirtualMachineInstance' | 'VirtualMachineInstanceMigration' | 'Pod';
export type Action = 'add' | 'update' | 'delete';

export const NAMESPACE = 'prod';
export const OPT_IN_ANNOTATION = 'kubevirt.io/allow-pod-bridge-network-live-migration';
export const CREATED_BY_LABEL = 'kubevirt.io/created-by';
export const VMI_NAME_LABEL = 'kubevirt.io/vmi-name';
export const MIGRATION_UID_LABEL = 'kubevirt.io/migrationJobUID';
/** Kube-OVN takes a pod for a migration's target by this, for as long as the pod lives. */
export const MIGRATION_NAME_ANNOTATION = 'kubevirt.io/migrationJobName';
export const READY_ANNOTATION = 'kubevirt.io/migration-target-ready-timestamp';
/** What Kube-OVN writes to the pods of a VM, the same to all of them. */
export const IDENTITY_ANNOTATIONS: Readonly<Record<string, string>> = {
  'ovn.kubernetes.io/ip_address': '10.0.0.10',
  'ovn.kubernetes.io/allocated': 'true',
};
/** Each function takes off its own: `reuse-port` the first, `enable-dual-chassis` the second. */
export const GATES = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'] as const;

export function isFinal({ status: { phase } }: KubernetesObject): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Whether its network may go at any moment: it has ended, or is about to. */
export function hasEnded(pod: Pod): boolean {
  return isFinal(pod) || pod.metadata.deletionTimestamp !== undefined;
}

/** Whose pod it is. A label is anybody's to write; only the API server's admission lets a controller own a pod. */
export function ownerOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
}

export function gatesOf({ spec }: Pod): readonly string[] {
  return (spec.schedulingGates ?? []).map(({ name }) => name);
}
