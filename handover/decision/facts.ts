import {
  controllingVmi,
  gatesOf,
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
  /** Launcher pods that our gates hold though nothing is to be handed over to them, and why not. */
  readonly strays: readonly { readonly pod: Pod; readonly why: string }[];
  /** Migrations whose guest has switched, also those that have ended: uid of the VMIM, and ms since the epoch of the second. */
  readonly switches: readonly { readonly migration: string; readonly second: number }[];
}

export interface VmiFacts {
  readonly uid: string;
  readonly optedIn: boolean;
  /** Succeeded or Failed: its guest runs nowhere any more. */
  readonly final: boolean;
  /** The node where KubeVirt last saw the guest run; during a migration the source's until the hand-over is acknowledged. */
  readonly node: string | undefined;
  /** No launcher pod but the guest's may still be plugged into the VM's ports: the others are gone, or ended a while ago. */
  readonly isAlone: boolean;
  /** How many networks it is on, of OVN and of others; `undefined` where it does not say. */
  readonly networks: number | undefined;
}

export interface MigrationFacts {
  readonly uid: string;
  readonly name: string;
  /** Marked for deletion; it may still succeed. */
  readonly deleting: boolean;
  /** The guest's memory is being copied: the target plugged in long ago, and virt-handler has taken the address off its pod's kernel. */
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
  /** The scheduler has put it beside the guest's own pod, and KubeVirt will fail the migration after minutes. */
  readonly isOnSourceNode: boolean;
  readonly ended: boolean;
}

/** Objects of one VM. They must have been read in this order: see `Kubernetes.objectsOf`. */
export interface Objects {
  readonly migrations: readonly VirtualMachineInstanceMigration[];
  readonly vmi: VirtualMachineInstance | undefined;
  readonly pods: readonly Pod[];
}

/** A container's network outlives it by as long as the kubelet takes to tear the pod down. */
const UNPLUGGED_AFTER_MS = 60_000;

/** @param now ms since the epoch */
export function factsOf({ migrations, vmi, pods }: Objects, now = Date.now()): Facts {
  if (vmi === undefined) return { vmi: undefined, migration: undefined, strays: [], switches: [] };
  const launchers = pods
    .filter((pod) => pod.metadata.namespace === vmi.metadata.namespace)
    .filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid);
  const migration = current(vmi, migrations, launchers);
  return {
    vmi: {
      uid: vmi.metadata.uid,
      optedIn: vmi.metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined,
      final: isFinal(vmi),
      node: vmi.status?.nodeName || undefined,
      isAlone: isAlone(vmi, launchers, now),
      networks: vmi.spec?.networks?.length,
    },
    migration: migration && migrationFacts(migration, vmi, launchers),
    strays: launchers
      .filter((pod) => gatesOf(pod).length > 0 && !hasEnded(pod))
      .flatMap((pod) => {
        const why = whyNotOurs(pod, vmi, migrations);
        return why === undefined ? [] : [{ pod, why }];
      }),
    switches: switchesOf(vmi, launchers),
  };
}

function switchesOf({ status }: VirtualMachineInstance, launchers: readonly Pod[]): Facts['switches'] {
  const { migrationUid, targetNodeDomainReadyTimestamp } = status?.migrationState ?? {};
  const told = [
    [migrationUid, targetNodeDomainReadyTimestamp],
    ...launchers.map(({ metadata: { labels, annotations } }) => [
      labels?.[MIGRATION_UID_LABEL],
      // As Go prints a time: 2026-08-20 10:00:19 +0000 UTC, which V8 can parse.
      annotations?.[TARGET_READY_ANNOTATION],
    ]),
  ];
  const switches = told.flatMap(([migration, time]) => {
    const second = Math.floor(Date.parse(time ?? '') / 1_000) * 1_000;
    return migration === undefined || Number.isNaN(second) ? [] : [{ migration, second }];
  });
  return switches.filter(
    ({ migration }, index) => switches.findIndex((each) => each.migration === migration) === index,
  );
}

/** Why no migration that we hand over is to bring the guest into a pod; `undefined` where one is. */
function whyNotOurs(
  pod: Pod,
  vmi: VirtualMachineInstance,
  migrations: readonly VirtualMachineInstanceMigration[],
): string | undefined {
  const uid = pod.metadata.labels?.[MIGRATION_UID_LABEL];
  if (uid === undefined) return 'no migration has made it';
  const own = migrations.find(({ metadata, spec }) => metadata.uid === uid && spec.vmiName === vmi.metadata.name);
  if (own === undefined) return `there is no VMIM ${uid} of its VMI`;
  if (isDecentralized(own)) return `migration ${own.metadata.name} is decentralized, and its other half is elsewhere`;
  return isFinal(own) ? `migration ${own.metadata.name} has ended` : undefined;
}

function isDecentralized({ spec }: VirtualMachineInstanceMigration): boolean {
  return spec.sendTo !== undefined || spec.receive !== undefined;
}

function isAlone(vmi: VirtualMachineInstance, launchers: readonly Pod[], now: number): boolean {
  const [guests, others] = [true, false].map((isGuest) =>
    launchers.filter((pod) => (pod.spec.nodeName === vmi.status?.nodeName && !hasEnded(pod)) === isGuest),
  );
  return guests!.length === 1 && others!.every((pod) => isUnplugged(pod, now));
}

function isUnplugged(pod: Pod, now: number): boolean {
  if (!isFinal(pod)) return false;
  if (!pod.spec.nodeName) return true;
  const finished = pod.status?.containerStatuses?.map(({ state }) => state?.terminated?.finishedAt) ?? [];
  const changed = pod.status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime) ?? [];
  const times = [...finished, ...changed].flatMap((time) => (time === undefined ? [] : new Date(time).getTime()));
  return times.length > 0 && now - Math.max(...times) > UNPLUGGED_AFTER_MS;
}

function current(
  vmi: VirtualMachineInstance,
  migrations: readonly VirtualMachineInstanceMigration[],
  pods: readonly Pod[],
): VirtualMachineInstanceMigration | undefined {
  const unfinished = migrations
    .filter((migration) => migration.spec.vmiName === vmi.metadata.name && !isFinal(migration))
    .filter((migration) => !isDecentralized(migration))
    .sort(newestFirst);
  // KubeVirt runs one at a time: a newer one without a target pod waits for its turn, and must not undo what the one in
  // flight needs.
  return unfinished.find((migration) => targetOf(migration, vmi, pods)) ?? unfinished[0];
}

function migrationFacts(
  migration: VirtualMachineInstanceMigration,
  vmi: VirtualMachineInstance,
  launchers: readonly Pod[],
): MigrationFacts {
  const target = targetOf(migration, vmi, launchers);
  return {
    uid: migration.metadata.uid,
    name: migration.metadata.name,
    deleting: migration.metadata.deletionTimestamp !== undefined,
    // KubeVirt's controller sets the phase up to seconds after its handler has begun.
    copying: migration.status?.phase === 'Running' || stateOf(migration, vmi)?.startTimestamp !== undefined,
    target,
    sourcePod: sourceOf(vmi, launchers, target?.pod),
    switched: hasSwitched(migration, vmi, target),
  };
}

/** A label is anybody's to write; only the controller reference and the migration's uid together make a target. */
function targetOf(
  migration: VirtualMachineInstanceMigration,
  vmi: VirtualMachineInstance,
  launchers: readonly Pod[],
): TargetFacts | undefined {
  const candidates = launchers
    .filter((pod) => pod.metadata.labels?.[MIGRATION_UID_LABEL] === migration.metadata.uid)
    .sort(newestFirst);
  // KubeVirt may replace an unschedulable target pod within the same migration.
  const pod = candidates.find((candidate) => !hasEnded(candidate)) ?? candidates[0];
  if (pod === undefined) return undefined;
  const node = pod.spec.nodeName || undefined;
  const isOnSourceNode = node !== undefined && sourceOf(vmi, launchers, pod)?.spec.nodeName === node;
  return { pod, node, isOnSourceNode, ended: hasEnded(pod) };
}

function sourceOf(vmi: VirtualMachineInstance, launchers: readonly Pod[], target: Pod | undefined): Pod | undefined {
  return launchers
    .filter((pod) => pod.metadata.uid !== target?.metadata.uid)
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
  return (
    target.pod.metadata.annotations?.[TARGET_READY_ANNOTATION] !== undefined ||
    stateOf(migration, vmi)?.targetNodeDomainReadyTimestamp !== undefined ||
    (vmi.status?.nodeName === target.node && !target.isOnSourceNode)
  );
}

/** What the VMI says of a migration; until the hand-off in phase Scheduled that is still the previous one's. */
function stateOf(migration: VirtualMachineInstanceMigration, vmi: VirtualMachineInstance) {
  const state = vmi.status?.migrationState;
  return state?.migrationUid === migration.metadata.uid ? state : undefined;
}

type Dated = { readonly metadata: { readonly creationTimestamp?: string | Date; readonly name: string } };

/** creationTimestamp has whole seconds; the name only makes the order of equals the same everywhere. */
function newestFirst(a: Dated, b: Dated): number {
  return createdAt(b) - createdAt(a) || b.metadata.name.localeCompare(a.metadata.name);
}

function createdAt({ metadata }: Dated): number {
  return new Date(metadata.creationTimestamp ?? 0).getTime();
}
