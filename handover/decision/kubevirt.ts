/**
 * The parts of KubeVirt's and Kubernetes' objects that the hand-over reads, as the API server returns them.
 * Everything is optional that a real cluster may leave out.
 */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string | Date;
  readonly deletionTimestamp?: string | Date;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface VirtualMachineInstance {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly networks?: readonly { readonly name: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly nodeName?: string;
    readonly migrationState?: {
      readonly migrationUid?: string;
      readonly startTimestamp?: string;
      readonly targetNodeDomainReadyTimestamp?: string;
    };
  };
}

export interface VirtualMachineInstanceMigration {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly vmiName: string;
    /** Decentralized migration: this VMIM is one half of a migration between two VMIs. */
    readonly sendTo?: object;
    readonly receive?: object;
  };
  readonly status?: { readonly phase?: string };
}

export interface Pod {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulingGates?: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly state?: { readonly terminated?: { readonly finishedAt?: string | Date } };
    }[];
    readonly conditions?: readonly { readonly lastTransitionTime?: string | Date }[];
  };
}

/** Which VM is meant: a name is all that an event is believed for. */
export interface VmiReference {
  readonly namespace: string;
  readonly name: string;
}

export const OPT_IN_ANNOTATION = 'kubevirt.io/allow-pod-bridge-network-live-migration';
export const MIGRATION_UID_LABEL = 'kubevirt.io/migrationJobUID';
export const TARGET_READY_ANNOTATION = 'kubevirt.io/migration-target-ready-timestamp';

/** Put on target pods of opted-in VMs when they are created; see `eventing/components/scheduling-gate`. */
export const PORT_GATE = 'ovn-handover.dev/port';
export const DUAL_GATE = 'ovn-handover.dev/dual';
export type SchedulingGate = typeof PORT_GATE | typeof DUAL_GATE;

/** Those of our gates that hold a pod. */
export function gatesOf(pod: Pod): readonly SchedulingGate[] {
  const names = pod.spec.schedulingGates?.map(({ name }) => name) ?? [];
  return ([PORT_GATE, DUAL_GATE] as const).filter((gate) => names.includes(gate));
}

/** The VMI that controls a pod, if a VMI does. */
export function controllingVmi(pod: Pod): OwnerReference | undefined {
  return pod.metadata.ownerReferences?.find(
    (owner) =>
      owner.controller === true &&
      owner.kind === 'VirtualMachineInstance' &&
      owner.apiVersion.startsWith('kubevirt.io/'),
  );
}

/** Succeeded and Failed are the end for pods, VMIs and VMIMs alike. */
export function isFinal(object: { readonly status?: { readonly phase?: string } }): boolean {
  return object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed';
}
