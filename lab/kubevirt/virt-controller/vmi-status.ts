import type { Context } from '../context.ts';
import { MIGRATION_JOB_UID, MIGRATION_TARGET_READY, NODE_NAME, UNPAUSED } from '../labels.ts';
import {
  type Condition,
  conditionOf,
  isControlledBy,
  isFinal,
  isLauncher,
  type Pod,
  timestamp,
  type VirtualMachineInstance as Vmi,
} from '../objects.ts';
import { isGoingDown } from '../pod-status.ts';

/**
 * Keeps what a VMI says of its pods, and what the guest's pod says of its VMI, one write at a time, until the VMI is gone:
 * the pods that are active, whether the VMI is ready, the image of its launcher; the pod's readiness gate and the label with
 * the guest's node.
 */
export async function keepStatus(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, signal } = context;
  for (;;) {
    const write = await cluster.until(() => {
      const latest = cluster.vmis.latest(vmi);
      return latest === undefined ? async () => {} : nextWrite(latest, context);
    }, signal);
    if (cluster.vmis.latest(vmi) === undefined) return;
    await write();
  }
}

type Write = () => Promise<void>;

function nextWrite(vmi: Vmi, context: Context): Write | undefined {
  const { cluster, signal } = context;
  const pods = cluster.pods.all().filter((pod) => isLauncher(pod) && isControlledBy(pod, vmi));
  const pod = guestPod(vmi, pods);
  const wanted = { activePods: activePods(pods), ...ofPod(vmi, pod) };
  const node = vmi.status?.nodeName;
  if (pod !== undefined && hasGuest(pod, vmi) && !isFinal(pod)) {
    if (conditionOf(pod, UNPAUSED) === undefined) {
      return () => cluster.patchPodStatus(pod, { conditions: [condition(UNPAUSED, 'True', 'NotPaused')] });
    }
    if (node !== undefined && pod.metadata.labels?.[NODE_NAME] !== node) {
      return () => cluster.patchPod(pod, { metadata: { labels: { [NODE_NAME]: node } } });
    }
  }
  if (!differs(vmi, wanted)) return undefined;
  return async () => {
    const written = await cluster.vmis.update(vmi, (draft) => {
      const { conditions = [], ...status } = draft.status ?? { phase: 'Pending' };
      const { ready, ...others } = wanted;
      const known = conditions.find(({ type }) => type === 'Ready');
      const rest = conditions.filter(({ type }) => type !== 'Ready');
      const isNews = ready !== undefined && !isSame(known, ready);
      draft.status = { ...status, ...others, conditions: isNews ? [ready, ...rest] : conditions };
    });
    await cluster.until(() => cluster.vmis.hasSeen(written), signal);
  };
}

/** The pod that the guest runs in; its first one before it runs. */
function guestPod(vmi: Vmi, pods: readonly Pod[]): Pod | undefined {
  const node = vmi.status?.nodeName;
  if (node === undefined) return pods[0];
  const there = pods.filter(({ spec }) => spec.nodeName === node);
  return there.find((pod) => !isFinal(pod)) ?? there[0];
}

/** A target has it when virt-controller has said so on the pod. */
function hasGuest({ metadata: { labels = {}, annotations = {} } }: Pod, { status }: Vmi): boolean {
  const isTarget = labels[MIGRATION_JOB_UID] === status?.migrationState?.migrationUid;
  return !isTarget || labels[MIGRATION_JOB_UID] === undefined || MIGRATION_TARGET_READY in annotations;
}

function activePods(pods: readonly Pod[]): Record<string, string> {
  return Object.fromEntries(pods.map(({ metadata, spec }) => [metadata.uid, spec.nodeName ?? '']));
}

interface Wanted {
  readonly activePods: Record<string, string>;
  readonly ready?: Condition;
  readonly launcherContainerImageVersion?: string;
}

function ofPod({ status }: Vmi, pod: Pod | undefined): Omit<Wanted, 'activePods'> {
  if (pod === undefined || status?.nodeName === undefined) return {};
  // No recording changes them between the two writes of a switch.
  const { endTimestamp, completed } = status.migrationState ?? {};
  if (endTimestamp !== undefined && !completed) return {};
  const image = pod.status?.containerStatuses?.find(({ name }) => name === 'compute')?.image;
  return { ready: readyOf(pod), ...(image !== undefined && { launcherContainerImageVersion: image }) };
}

function readyOf(pod: Pod): Condition {
  if (isFinal(pod) || isGoingDown(pod)) return condition('Ready', 'False', 'PodTerminating');
  const ready = conditionOf(pod, 'Ready');
  return ready?.status === 'True'
    ? condition('Ready', 'True')
    : condition('Ready', 'False', ready?.reason ?? undefined);
}

function differs({ status }: Vmi, { activePods, ready, launcherContainerImageVersion }: Wanted): boolean {
  const known = conditionOf({ status: { conditions: status?.conditions ?? [] } }, 'Ready');
  const text = (pods: Record<string, string> = {}) => JSON.stringify(Object.entries(pods).sort());
  if (text(status?.activePods) !== text(activePods)) return true;
  if (ready === undefined) return false;
  const image = status?.launcherContainerImageVersion;
  return !isSame(known, ready) || (launcherContainerImageVersion ?? image) !== image;
}

function isSame(one: Condition | undefined, other: Condition): boolean {
  return one?.status === other.status && one.reason === other.reason;
}

function condition(type: string, status: 'True' | 'False', reason?: string): Condition {
  const times = { lastProbeTime: null, lastTransitionTime: timestamp() };
  return { type, status, ...(reason !== undefined && { reason }), ...times };
}
