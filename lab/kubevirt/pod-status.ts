import { type Condition, conditionOf, type Pod, timestamp } from './objects.ts';

/** The statuses that a kubelet writes, in the order of a pod's life. Conditions are merged into those that are there. */
export const podStatus = {
  /** It has been taken by its node. */
  accepted: (pod: Pod) => ({
    startTime: timestamp(),
    conditions: [
      condition('PodReadyToStartContainers', 'PodSandboxNotReady'),
      condition('Initialized', 'ContainersNotInitialized'),
      condition('Ready', 'ContainersNotReady'),
      condition('ContainersReady', 'ContainersNotReady'),
    ],
    containerStatuses: [container(pod, { waiting: { reason: 'PodInitializing' } })],
  }),

  /** Its network is there. */
  sandboxReady: () => ({ conditions: [condition('PodReadyToStartContainers')] }),

  initialized: (podIP?: string) => ({
    conditions: [condition('Initialized')],
    ...(podIP !== undefined && { podIP, podIPs: [{ ip: podIP }] }),
  }),

  running: (pod: Pod, hostIP: string | undefined) => ({
    phase: 'Running',
    hostIP,
    conditions: [
      condition('ContainersReady'),
      condition('Ready', isGateOpen(pod) ? undefined : 'ReadinessGatesNotReady'),
    ],
    containerStatuses: [container(pod, { running: { startedAt: timestamp() } })],
  }),

  ready: () => ({ conditions: [condition('Ready')] }),

  terminated: (pod: Pod, phase: FinalPhase) => ({
    conditions: [condition('Ready', 'ContainersNotReady'), condition('ContainersReady', 'ContainersNotReady')],
    containerStatuses: [container(pod, { terminated: { ...REASONS[phase], finishedAt: timestamp() } })],
  }),

  sandboxGone: (phase: FinalPhase) => {
    const reason = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
    return {
      conditions: [
        condition('PodReadyToStartContainers', 'PodSandboxNotReady'),
        { ...condition('Initialized'), ...(phase === 'Succeeded' && { reason }) },
        condition('Ready', reason),
        condition('ContainersReady', reason),
      ],
    };
  },

  final: (phase: FinalPhase) => ({ phase }),
};

export type FinalPhase = 'Succeeded' | 'Failed';

const REASONS = {
  Succeeded: { exitCode: 0, reason: 'Completed' },
  Failed: { exitCode: 1, reason: 'Error' },
} as const;

/** Whether the conditions of all its readiness gates are true. */
export function isGateOpen(pod: Pod): boolean {
  const gates = pod.spec.readinessGates ?? [];
  return gates.every(({ conditionType }) => conditionOf(pod, conditionType)?.status === 'True');
}

/** Whether the container `compute` has ended, or will. */
export function isGoingDown({ metadata, status }: Pod): boolean {
  const hasEnded = status?.containerStatuses?.some(({ state }) => state?.terminated !== undefined);
  return metadata.deletionTimestamp !== undefined || hasEnded === true;
}

/** False for a reason, or true; a patch takes away the reason that was there. */
function condition(type: string, reason?: string): Omit<Condition, 'reason'> & { reason: string | null } {
  const status = reason === undefined ? 'True' : 'False';
  return { type, status, reason: reason ?? null, lastProbeTime: null, lastTransitionTime: timestamp() };
}

function container({ spec }: Pod, state: object): object {
  const { name = '', image = '' } = spec.containers[0] ?? {};
  const isUp = 'running' in state;
  return { name, image, imageID: '', ready: isUp, restartCount: 0, started: isUp, lastState: {}, state };
}
