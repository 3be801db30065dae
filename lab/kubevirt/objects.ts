/** The parts of Kubernetes' and KubeVirt's objects that the stand-in reads and writes. */

export interface Metadata {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  generateName?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: true;
  blockOwnerDeletion: true;
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
}

/** What is sent to create an object; the API server fills in the rest. */
export type Manifest<T extends KubernetesObject> = Omit<T, 'metadata' | 'status'> & {
  metadata: Partial<Metadata> & { namespace: string };
};

export interface Condition {
  type: string;
  status: 'True' | 'False';
  reason?: string;
  message?: string;
  lastProbeTime: string | null;
  lastTransitionTime: string | null;
}

export interface Pod extends KubernetesObject {
  spec: {
    containers: { name: string; image: string; command?: string[] }[];
    hostname?: string;
    restartPolicy?: string;
    terminationGracePeriodSeconds?: number;
    readinessGates?: { conditionType: string }[];
    nodeName?: string;
    nodeSelector?: Record<string, string>;
    schedulingGates?: { name: string }[];
    affinity?: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: PodAffinityTerm[] } };
  };
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
    podIP?: string;
    conditions?: Condition[];
    containerStatuses?: { name: string; image?: string; state?: { terminated?: { finishedAt?: string } } }[];
  };
}

export interface PodAffinityTerm {
  labelSelector: { matchLabels: Record<string, string> };
  topologyKey: string;
}

export interface VmiSpec {
  evictionStrategy: string;
  nodeSelector?: Record<string, string>;
  domain: {
    cpu: { cores: number };
    memory: { guest: string };
    devices: { interfaces: VmInterface[] };
  };
  networks: VmNetwork[];
}

export interface VmInterface {
  name: string;
  bridge?: object;
  masquerade?: object;
  macAddress?: string;
}

export interface VmNetwork {
  name: string;
  pod?: object;
  multus?: { networkName: string };
}

export interface VirtualMachine extends KubernetesObject {
  spec: {
    runStrategy: 'Always';
    template: {
      metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: VmiSpec;
    };
  };
  status?: {
    created: boolean;
    ready?: true;
    printableStatus: string;
    runStrategy: string;
    conditions?: Condition[];
  };
}

export interface VirtualMachineInstance extends KubernetesObject {
  spec: VmiSpec;
  status?: {
    phase: VmiPhase;
    nodeName?: string;
    /** Pod uid → node, empty as long as the pod has none; ended pods included. */
    activePods?: Record<string, string>;
    launcherContainerImageVersion?: string;
    migrationMethod?: string;
    migrationTransport?: string;
    conditions?: Condition[];
    interfaces?: object[];
    /** The node that is drained, if it is this one's. */
    evacuationNodeName?: string;
    migrationState?: MigrationState;
  };
}

export type VmiPhase = 'WaitingForSync' | 'Pending' | 'Scheduling' | 'Scheduled' | 'Running' | 'Succeeded' | 'Failed';

/** Of the VMI's latest migration that was handed off, which is not always the one that is under way. */
export interface MigrationState {
  migrationUid?: string;
  sourceNode?: string;
  sourcePod?: string;
  targetNode?: string;
  targetPod?: string;
  targetAttachmentPodUID?: string;
  migrationConfiguration?: object;
  targetMemoryOverhead?: string;
  targetNodeAddress?: string;
  targetDirectMigrationNodePorts?: Record<string, number>;
  startTimestamp?: string;
  mode?: 'PreCopy';
  targetNodeDomainDetected?: boolean;
  targetNodeDomainReadyTimestamp?: string;
  endTimestamp?: string;
  completed?: boolean;
  failed?: boolean;
  failureReason?: string;
  abortRequested?: boolean;
  abortStatus?: 'Succeeded';
}

export interface VirtualMachineInstanceMigration extends KubernetesObject {
  spec: {
    vmiName: string;
    addedNodeSelector?: Record<string, string>;
    /** Halves of a decentralized migration, between two VMIs. */
    sendTo?: { migrationID: string; connectURL: string };
    receive?: { migrationID: string };
  };
  status?: {
    phase?: MigrationPhase;
    migrationState?: MigrationState;
    conditions?: Condition[];
    phaseTransitionTimestamps?: { phase: MigrationPhase; phaseTransitionTimestamp: string }[];
  };
}

export type MigrationPhase =
  | 'Pending'
  | 'Scheduling'
  | 'Scheduled'
  | 'PreparingTarget'
  | 'TargetReady'
  | 'Running'
  | 'Succeeded'
  | 'Failed';

/** Succeeded and Failed are the end for pods, VMIs and VMIMs alike. */
export function isFinal(object: { status?: { phase?: string } }): boolean {
  return object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed';
}

export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return object.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid) ?? false;
}

export function isLauncher(pod: Pod): boolean {
  return pod.metadata.labels?.['kubevirt.io'] === 'virt-launcher';
}

export function conditionOf(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** As Kubernetes writes times in JSON: RFC 3339, whole seconds. */
export function timestamp(at = new Date()): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
