import {
  controllingVmi,
  isFinal,
  MIGRATION_UID_LABEL,
  OPT_IN_ANNOTATION,
  type Pod,
  TARGET_READY_ANNOTATION,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
} from './kubevirt.ts';

/** What is true of one VM in Kubernetes, as far as the binding of its ports depends on it. */
export interface Facts {
  /** `undefined`: the API server has no VMI of this name. */
  readonly vmi: VmiFacts | undefined;
  /** The VMIM of this VMI that is not final: of several, the one that is in flight. */
  readonly migration: MigrationFacts | undefined;
}

export interface VmiFacts {
  readonly uid: string;
  readonly optedIn: boolean;
  /** Succeeded or Failed: its guest runs nowhere any more. */
  readonly final: boolean;
  /** The node where KubeVirt last saw the guest run; during a migration the source's until the hand-over is acknowledged. */
  readonly node: string | undefined;
}

export interface MigrationFacts {
  readonly uid: string;
  readonly name: string;
  /** Marked for deletion; it may still succeed. */
  readonly deleting: boolean;
  /** KubeVirt says Running: memory is being copied, and the target plugged in long ago. */
  readonly copying: boolean;
  readonly target: TargetFacts | undefined;
  /** The launcher pod that the guest runs in as long as it has not switched. */
  readonly sourcePod: Pod | undefined;
  /** The guest runs on the target: from here on the target's port must be open. */
  readonly switched: boolean;
}

export interface TargetFacts {
  readonly pod: Pod;
  readonly node: string | undefined;
  readonly ended: boolean;
}

/** Objects of one VM. They must have been read in this order: see `Kubernetes.objectsOf`. */
export interface Objects {
  readonly migrations: readonly VirtualMachineInstanceMigration[];
  readonly vmi: VirtualMachineInstance | undefined;
  readonly pods: readonly Pod[];
}

export function factsOf({ migrations, vmi, pods }: Objects): Facts {
  if (vmi === undefined) return { vmi: undefined, migration: undefined };
  const migration = current(vmi, migrations, pods);
  return {
    vmi: {
      uid: vmi.metadata.uid,
      optedIn: vmi.metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined,
      final: isFinal(vmi),
      node: vmi.status?.nodeName || undefined,
    },
    migration: migration && migrationFacts(migration, vmi, pods),
  };
}

function current(
  vmi: VirtualMachineInstance,
  migrations: readonly VirtualMachineInstanceMigration[],
  pods: readonly Pod[],
): VirtualMachineInstanceMigration | undefined {
  const unfinished = migrations
    .filter((migration) => migration.spec.vmiName === vmi.metadata.name && !isFinal(migration))
    .filter(({ spec }) => spec.sendTo === undefined && spec.receive === undefined)
    .sort(newestFirst);
  // KubeVirt runs one at a time: a newer one without a target pod waits for its turn, and must not undo what the one in
  // flight needs.
  return unfinished.find((migration) => targetOf(migration, vmi, pods)) ?? unfinished[0];
}

function migrationFacts(
  migration: VirtualMachineInstanceMigration,
  vmi: VirtualMachineInstance,
  pods: readonly Pod[],
): MigrationFacts {
  const target = targetOf(migration, vmi, pods);
  return {
    uid: migration.metadata.uid,
    name: migration.metadata.name,
    deleting: migration.metadata.deletionTimestamp !== undefined,
    copying: migration.status?.phase === 'Running',
    target,
    sourcePod: sourceOf(vmi, pods, target),
    switched: hasSwitched(migration, vmi, target),
  };
}

/** A label is anybody's to write; only the controller reference and the migration's uid together make a target. */
function targetOf(
  migration: VirtualMachineInstanceMigration,
  vmi: VirtualMachineInstance,
  pods: readonly Pod[],
): TargetFacts | undefined {
  const candidates = pods
    .filter((pod) => pod.metadata.namespace === vmi.metadata.namespace)
    .filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid)
    .filter((pod) => pod.metadata.labels?.[MIGRATION_UID_LABEL] === migration.metadata.uid)
    .sort(newestFirst);
  // KubeVirt may replace an unschedulable target pod within the same migration.
  const pod = candidates.find((candidate) => !hasEnded(candidate)) ?? candidates[0];
  return pod && { pod, node: pod.spec.nodeName || undefined, ended: hasEnded(pod) };
}

function sourceOf(vmi: VirtualMachineInstance, pods: readonly Pod[], target: TargetFacts | undefined): Pod | undefined {
  return pods
    .filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid && pod.metadata.uid !== target?.pod.metadata.uid)
    .filter((pod) => pod.spec.nodeName === vmi.status?.nodeName && !isFinal(pod))
    .sort(newestFirst)[0];
}

function hasEnded(pod: Pod): boolean {
  return isFinal(pod) || pod.metadata.deletionTimestamp !== undefined;
}

function hasSwitched(
  migration: VirtualMachineInstanceMigration,
  vmi: VirtualMachineInstance,
  target: TargetFacts | undefined,
): boolean {
  if (target?.node === undefined) return false;
  // Until the hand-off in phase Scheduled, migrationState still tells of the previous migration.
  const state = vmi.status?.migrationState;
  const ownState = state?.migrationUid === migration.metadata.uid ? state : undefined;
  return (
    target.pod.metadata.annotations?.[TARGET_READY_ANNOTATION] !== undefined ||
    ownState?.targetNodeDomainReadyTimestamp !== undefined ||
    vmi.status?.nodeName === target.node
  );
}

type Dated = { readonly metadata: { readonly creationTimestamp?: string | Date; readonly name: string } };

/** creationTimestamp has whole seconds; the name only makes the order of equals the same everywhere. */
function newestFirst(a: Dated, b: Dated): number {
  return createdAt(b) - createdAt(a) || b.metadata.name.localeCompare(a.metadata.name);
}

function createdAt({ metadata }: Dated): number {
  return new Date(metadata.creationTimestamp ?? 0).getTime();
}
