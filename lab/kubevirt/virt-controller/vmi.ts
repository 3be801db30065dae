import type { Context } from '../context.ts';
import { NODE_NAME } from '../labels.ts';
import { launcherPod } from '../manifests.ts';
import {
  isControlledBy,
  isFinal,
  isLauncher,
  type Pod,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
  type VmiPhase,
} from '../objects.ts';
import { keepStatus } from './vmi-status.ts';

/** virt-controller's part for VMIs: a launcher pod for each, and the end of what is left after it. */
export function controlVmis(context: Context): void {
  const { cluster, lives } = context;
  // What waits for its other half in another cluster, the lab has none to start.
  const all = () => cluster.vmis.all().filter(({ status }) => status?.phase !== 'WaitingForSync');
  lives.onEach(all, (vmi) => new VmiControl(vmi, context).run());
  lives.onEach(all, (vmi) => keepStatus(vmi, context));
}

class VmiControl {
  readonly #vmi: Vmi;
  readonly #context: Context;

  constructor(vmi: Vmi, context: Context) {
    this.#vmi = vmi;
    this.#context = context;
  }

  async run(): Promise<void> {
    const { cluster, signal } = this.#context;
    await this.#setPhase('Pending');
    const pod = await cluster.createPod(launcherPod(this.#vmi));
    await this.#setPhase('Scheduling');
    const runs = () => {
      const latest = cluster.pods.latest(pod);
      return latest?.status?.phase === 'Running' && latest;
    };
    const running = await cluster.until(() => this.#isDeleted() || runs(), signal);
    if (running !== true) {
      await this.#setPhase('Scheduled', running);
      await cluster.until(() => this.#isDeleted() || this.#guestEnded(), signal);
    }
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const { cluster, signal } = this.#context;
    const hasFailed = !this.#isDeleted();
    if (hasFailed) await this.#setPhase('Failed');
    await cluster.until(() => this.#isDeleted(), signal);
    // virt-handler ends the guests that run; a pod that never ran has nothing to end.
    for (const pod of this.#pods()) if (pod.status?.phase === 'Pending') await cluster.deletePod(pod);
    await cluster.until(() => this.#pods().every((pod) => isFinal(pod) || pod.metadata.deletionTimestamp), signal);
    if (!hasFailed) await this.#setPhase('Succeeded');
    const vmims = cluster.vmims.all().filter(({ metadata, spec }) => {
      return metadata.namespace === this.#vmi.metadata.namespace && spec.vmiName === this.#vmi.metadata.name;
    });
    const hasEnded = (vmim: Vmim) => {
      const latest = cluster.vmims.latest(vmim);
      return latest === undefined || isFinal(latest);
    };
    await cluster.until(() => vmims.every(hasEnded), signal);
    for (const vmim of vmims) await cluster.vmims.delete(vmim);
    // The pods go with the VMI, as all that it owns.
    await cluster.vmis.update(this.#vmi, ({ metadata }) => {
      delete metadata.finalizers;
    });
  }

  async #setPhase(phase: VmiPhase, pod?: Pod): Promise<void> {
    await this.#context.cluster.vmis.update(this.#vmi, (draft) => {
      draft.status = { ...draft.status, phase };
      const node = pod?.spec.nodeName;
      if (pod === undefined || node === undefined) return;
      draft.status.nodeName = node;
      draft.metadata.labels = { ...draft.metadata.labels, [NODE_NAME]: node };
    });
    this.#context.log('vmi-phase', { vmi: this.#vmi.metadata.name, phase });
  }

  #isDeleted(): boolean {
    const latest = this.#context.cluster.vmis.latest(this.#vmi);
    return latest === undefined || latest.metadata.deletionTimestamp !== undefined;
  }

  /** No launcher runs any more where the guest was last, nor where it is on its way to. */
  #guestEnded(): boolean {
    const { nodeName, migrationState = {} } = this.#context.cluster.vmis.latest(this.#vmi)?.status ?? {};
    if (nodeName === undefined) return false;
    const { startTimestamp, completed, failed, targetNode } = migrationState;
    const isMoving = startTimestamp !== undefined && !completed && !failed;
    const nodes = isMoving ? [nodeName, targetNode] : [nodeName];
    return this.#pods()
      .filter(({ spec }) => nodes.includes(spec.nodeName))
      .every(isFinal);
  }

  #pods(): Pod[] {
    return this.#context.cluster.pods.all().filter((pod) => isLauncher(pod) && isControlledBy(pod, this.#vmi));
  }
}
