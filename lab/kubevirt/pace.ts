import { setTimeout as sleep } from 'node:timers/promises';

/** The moments of a migration that take time in a cluster, each as its share of the pace. */
const SHARES = {
  /** nodeName → containers run. */
  containersStart: 0.75,
  /** hand-off → target's virt-handler has its domain and proxies ready. */
  targetPrepares: 0.2,
  /** target ready → source's virt-handler starts to copy. */
  sourceStarts: 0.05,
  /** guest runs on the target → virt-handler has acknowledged that. */
  switchAcknowledged: 0.125,
  /** guest left → its launcher pod has completed. */
  launcherEnds: 0.25,
};

export type Step = keyof typeof SHARES;

/** Waits for a step's share of the pace; rejects when `signal` aborts. */
export type Pace = (step: Step, signal: AbortSignal) => Promise<void>;

/** @param totalMs from a target pod's nodeName to the start of copying: the first three steps together. */
export function paceOf(totalMs: number): Pace {
  return async (step, signal) => {
    await sleep(totalMs * SHARES[step], undefined, { signal });
  };
}
