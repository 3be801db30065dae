import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { FAIL, HOLD } from './labels.ts';
import type { VirtualMachineInstanceMigration as Vmim } from './objects.ts';

/** What KubeVirt 1.9 takes from a target pod's nodeName to the switch at its fastest, as recorded (3.1 to 4.6 s). */
export const RECORDED_PACE_MS = 3_100;

/** The moments at which a migration can be held or made to fail; those that take time in a cluster, as a share of the pace. */
const SHARES = {
  /** VMIM accepted → it is its turn among the cluster's migrations. */
  turn: 0,
  /** nodeName → containers run. Fails: the target's container ends with an error. */
  containersStart: 0.29,
  /** target runs → hand-off to the virt-handlers. */
  handOff: 0.03,
  /** hand-off → target's virt-handler has its domain and proxies ready. Fails: the target's launcher ends. */
  targetPrepares: 0.19,
  /** target ready → source's virt-handler starts to copy. */
  sourceStarts: 0.04,
  /** start → the target's virt-handler has seen its domain. */
  domainDetected: 0.25,
  /** start → all memory is copied. Of endpoints only: QEMU takes its own time. Fails: the copy breaks off. */
  copy: 0.45,
  /** target has loaded its state and announced itself → it runs. Of endpoints only. Fails: it goes on at the source. */
  resume: 0.003,
  /** guest runs on the target → virt-handler says so for the first time. */
  switchReported: 0.006,
  /** … → virt-handler has acknowledged that. Fails: the guest dies there. */
  switchAcknowledged: 0.03,
  /** target's readiness gate is open → its kubelet says that it is ready. */
  targetReady: 0.4,
  /** guest left → its launcher's container has ended. */
  launcherEnds: 1.3,
  /** container ended → its pod has completed. */
  podCompletes: 0.65,
};

export type Step = keyof typeof SHARES;

/** The migration was told to fail here. */
export class StepFailed extends Error {
  constructor(step: Step) {
    super(`told to fail at ${step}`);
    this.name = 'StepFailed';
  }
}

/**
 * Waits for a step's share of the pace, and as long as the migration is held there.
 * @param migration uid of the VMIM that the step is of, if it is of one
 * @throws StepFailed where the migration is to fail; whatever `signal` aborts with
 */
export type Pace = (step: Step, migration: string | undefined, signal: AbortSignal) => Promise<void>;

/** @param totalMs from a target pod's nodeName to the switch: the steps up to `copy` together, without `domainDetected`. */
export function paceOf(totalMs: number, cluster: Cluster): Pace {
  return async (step, migration, signal) => {
    await sleep(totalMs * SHARES[step], undefined, { signal });
    if (migration === undefined) return;
    const vmim = () => cluster.vmims.all().find(({ metadata }) => metadata.uid === migration);
    await cluster.until(() => !isHeld(vmim(), step), signal);
    if (doesFail(vmim(), step)) throw new StepFailed(step);
  };
}

export function isHeld(vmim: Vmim | undefined, step: Step): boolean {
  return vmim?.metadata.annotations?.[HOLD] === step;
}

export function doesFail(vmim: Vmim | undefined, step: Step): boolean {
  return vmim?.metadata.annotations?.[FAIL] === step;
}
