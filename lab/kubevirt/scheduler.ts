import type { Cluster } from './cluster.ts';
import { HOSTNAME } from './labels.ts';
import { type Condition, isFinal, type Pod, timestamp } from './objects.ts';

/** Where a pod goes. `wait` has the reason and the message of the pod's condition `PodScheduled`. */
export type Placement = { node: string } | { wait: 'SchedulingGated' | 'Unschedulable'; message: string };

/**
 * The first node that the pod may run on, by its node selector and its anti-affinity. A gated pod is not looked at.
 *
 * @param nodes names, which are also the nodes' only label
 */
export function place(pod: Pod, pods: readonly Pod[], nodes: readonly string[]): Placement {
  if (pod.spec.schedulingGates?.length) {
    return { wait: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates' };
  }
  const node = nodes.find((candidate) => selects(pod, candidate) && !repels(pod, pods, candidate));
  if (node !== undefined) return { node };
  return { wait: 'Unschedulable', message: `0/${nodes.length} nodes are available` };
}

/** Binds pods to nodes as kube-scheduler does, one after the other; ends with a rejection when `signal` aborts. */
export async function schedule(cluster: Cluster, signal: AbortSignal): Promise<never> {
  const decided = new Map<string, string>();
  const undecided = () => {
    const pods = cluster.pods.all();
    const nodes = cluster.nodeNames();
    for (const pod of pods.filter(isWaiting)) {
      const placement = place(pod, pods, nodes);
      const isNews = decided.get(pod.metadata.uid) !== JSON.stringify(placement) && !isKnown(pod, placement);
      if (isNews) return { pod, placement };
    }
    return undefined;
  };
  for (;;) {
    const { pod, placement } = await cluster.until(undecided, signal);
    decided.set(pod.metadata.uid, JSON.stringify(placement));
    if ('node' in placement) await cluster.bindPod(pod, placement.node);
    else await cluster.patchPodStatus(pod, { conditions: [notScheduled(placement.wait, placement.message)] });
  }
}

/** The API server itself says of a new pod that it is gated. */
function isKnown({ status }: Pod, placement: Placement): boolean {
  return 'wait' in placement && (status?.conditions?.some(({ reason }) => reason === placement.wait) ?? false);
}

function notScheduled(reason: string, message: string): Condition {
  const lastTransitionTime = timestamp();
  return { type: 'PodScheduled', status: 'False', reason, message, lastProbeTime: null, lastTransitionTime };
}

function isWaiting(pod: Pod): boolean {
  return pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp === undefined && !isFinal(pod);
}

function selects({ spec }: Pod, node: string): boolean {
  return Object.entries(spec.nodeSelector ?? {}).every(([label, value]) => label === HOSTNAME && value === node);
}

function repels({ metadata, spec }: Pod, pods: readonly Pod[], node: string): boolean {
  const terms = spec.affinity?.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return pods
    .filter(
      (other) => other.spec.nodeName === node && other.metadata.namespace === metadata.namespace && !isFinal(other),
    )
    .some((other) =>
      terms.some(({ labelSelector: { matchLabels } }) =>
        Object.entries(matchLabels).every(([label, value]) => other.metadata.labels?.[label] === value),
      ),
    );
}
