import type { Context } from '../context.ts';
import {
  HOTPLUG,
  MIGRATION_FINALIZER,
  MIGRATION_TARGET_NODE_NAME,
  MIGRATION_TARGET_READY,
  NONROOT,
  OBSERVED_VERSIONS,
} from '../labels.ts';
import { attachmentPod, targetPod } from '../manifests.ts';
import {
  type Condition,
  isFinal,
  type MigrationPhase,
  type Pod,
  timestamp,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../objects.ts';
import { isHeld, type Step } from '../pace.ts';
import { abortRequested, HAND_OFF, withCondition } from './migration-objects.ts';
import { byCreation, isPendingTooLong, MigrationOver, MigrationView } from './migration-view.ts';

/** How many ended VMIMs of a VMI are kept. */
const KEPT = 5;

/** virt-controller's part for VMIMs. */
export function controlMigrations(context: Context): void {
  const { cluster, lives } = context;
  // A decentralized migration has its other half in another cluster, which the lab has not.
  const isOurs = ({ spec }: Vmim) => spec.sendTo === undefined && spec.receive === undefined;
  const unfinished = () => cluster.vmims.all().filter((vmim) => !isFinal(vmim) && isOurs(vmim));
  lives.onEach(unfinished, (vmim) => new MigrationControl(vmim, context).run());
}

/** One migration from its VMIM's creation to its end, in the order in which KubeVirt writes. */
class MigrationControl {
  readonly #context: Context;
  readonly #vmim: Vmim;
  readonly #view: MigrationView;
  #attachment: Pod | undefined;
  readonly #ended = new AbortController();

  constructor(vmim: Vmim, context: Context) {
    this.#vmim = vmim;
    this.#context = context;
    this.#view = new MigrationView(vmim, context.cluster);
  }

  async run(): Promise<void> {
    this.#beside((signal) => this.#abortWhenDeleted(signal));
    this.#beside((signal) => this.#deleteTargetPendingTooLong(signal));
    try {
      await this.#migrate();
    } catch (error) {
      if (!(error instanceof MigrationOver)) throw error;
      await this.#fail(error);
    } finally {
      this.#ended.abort();
    }
    await this.#collectGarbage();
  }

  async #migrate(): Promise<void> {
    const { cluster } = this.#context;
    const vmi = cluster.vmis.get(this.#vmim.metadata.namespace, this.#vmim.spec.vmiName);
    if (vmi === undefined) throw new MigrationOver('vmi-ended');
    this.#view.vmi = vmi;
    if (this.#view.isOtherHandedOff()) throw new MigrationOver('another-in-flight');
    await cluster.vmims.update(this.#vmim, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, ...OBSERVED_VERSIONS };
    });
    await this.#enter('Pending');
    await this.#until(() => this.#view.isTurn() && !this.#isHeld('turn'));
    await this.#markNonRoot();
    await this.#createTargetPod();
    if (HOTPLUG in (vmi.metadata.annotations ?? {})) await this.#attachVolumes();
    await this.#enter('Scheduling');
    await this.#targetRuns();
    await this.#enter('Scheduled');
    // On the source's own node nothing comes of it, until it is cancelled.
    const isElsewhere = () => this.#view.targetNow?.spec.nodeName !== this.#view.vmiNow?.status?.nodeName;
    await this.#until(() => !this.#isHeld('handOff') && isElsewhere());
    await this.#handOff();
    await this.#enter('PreparingTarget');
    await this.#until(() => this.#view.state?.targetNodeAddress);
    await this.#enter('TargetReady');
    await this.#until(() => this.#view.state?.startTimestamp);
    await this.#enter('Running');
    await this.#markTargetReady(await this.#until(() => this.#view.state?.targetNodeDomainReadyTimestamp));
    await this.#until(() => this.#view.state?.completed);
    await this.#finish('Succeeded');
  }

  #isHeld(step: Step): boolean {
    return isHeld(this.#context.cluster.vmims.latest(this.#vmim), step);
  }

  async #enter(phase: MigrationPhase, condition?: Condition): Promise<void> {
    const { cluster, log } = this.#context;
    const node = this.#view.vmiNow?.status?.nodeName;
    const source = this.#view.launchers().find(({ spec }) => spec.nodeName === node)?.metadata.name;
    await cluster.vmims.updateStatus(this.#vmim, (draft) => {
      const { phaseTransitionTimestamps = [], migrationState, conditions = [], ...rest } = draft.status ?? {};
      const transition = { phase, phaseTransitionTimestamp: timestamp() };
      // It may have waited while an earlier migration moved the guest.
      const known = migrationState?.sourcePod;
      const sourcePod = this.#view.isHandedOff ? known : (source ?? known);
      draft.status = {
        ...rest,
        phase,
        phaseTransitionTimestamps: [...phaseTransitionTimestamps, transition],
        ...(sourcePod !== undefined && { migrationState: { ...migrationState, sourcePod } }),
        ...withCondition(conditions, condition),
      };
    });
    const { name, uid } = this.#vmim.metadata;
    log('vmim-phase', { vmim: name, migration: uid, vmi: this.#vmim.spec.vmiName, phase });
  }

  async #createTargetPod(): Promise<void> {
    const { cluster, signal } = this.#context;
    const isAlive = (vmi: Vmi | undefined) => vmi?.metadata.deletionTimestamp === undefined && vmi;
    const vmi = await this.#until(() => isAlive(this.#view.vmiNow));
    const created = await cluster.createPod(targetPod(vmi, this.#vmim));
    await cluster.until(() => cluster.pods.latest(created), signal);
    this.#view.target = created;
  }

  /** Before the first migration of a VMI. */
  async #markNonRoot(): Promise<void> {
    const vmi = await this.#until(() => this.#view.vmiNow);
    if (vmi.metadata.annotations?.[NONROOT] !== undefined) return;
    const written = await this.#context.cluster.vmis.update(vmi, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [NONROOT]: 'true' };
    });
    await this.#until(() => this.#context.cluster.vmis.hasSeen(written));
  }

  /** Resolves with the target pod when it runs. */
  async #targetRuns(): Promise<Pod> {
    return this.#until(() => this.#view.targetNow?.status?.phase === 'Running' && this.#view.targetNow);
  }

  /**
   * With hotplug volumes, the launcher and the pod that brings its volumes come up while the phase is Pending. Only
   * there does a target pod that was removed get a successor.
   */
  async #attachVolumes(): Promise<void> {
    const { cluster } = this.#context;
    try {
      const created = await cluster.createPod(attachmentPod(await this.#targetRuns(), this.#vmim));
      await this.#until(() => cluster.pods.latest(created)?.status?.phase === 'Running');
      this.#attachment = created;
    } catch (error) {
      if (!(error instanceof MigrationOver && error.why === 'target-removed')) throw error;
      this.#view.target = undefined;
      await this.#createTargetPod();
      await this.#attachVolumes();
    }
  }

  /** From here on the two virt-handlers act. What the VMI said of an earlier migration is replaced. */
  async #handOff(): Promise<void> {
    const { cluster } = this.#context;
    const target = await this.#until(() => this.#view.targetNow);
    const targetNode = target.spec.nodeName ?? '';
    const sourcePod = cluster.vmims.latest(this.#vmim)?.status?.migrationState?.sourcePod;
    await cluster.vmis.update(await this.#until(() => this.#view.vmiNow), ({ metadata, status }) => {
      if (status?.nodeName === undefined) return;
      status.migrationState = {
        migrationUid: this.#vmim.metadata.uid,
        sourceNode: status.nodeName,
        ...(sourcePod !== undefined && { sourcePod }),
        targetNode,
        targetPod: target.metadata.name,
        ...(this.#attachment !== undefined && { targetAttachmentPodUID: this.#attachment.metadata.uid }),
        ...HAND_OFF,
      };
      metadata.labels = { ...metadata.labels, [MIGRATION_TARGET_NODE_NAME]: targetNode };
    });
    this.#view.isHandedOff = true;
    await this.#until(() => this.#view.state);
  }

  /** Says on the target pod since when the guest runs there, in the format in which Go prints a time. */
  async #markTargetReady(readyTimestamp: string): Promise<void> {
    const goTime = `${readyTimestamp.replace('T', ' ').replace('Z', '')} +0000 UTC`;
    const target = await this.#until(() => this.#view.targetNow);
    await this.#context.cluster.patchPod(target, { metadata: { annotations: { [MIGRATION_TARGET_READY]: goTime } } });
  }

  /** Four updates: the phase, the VMI's label, its migrationState if it is of this migration, the finalizer. */
  async #finish(phase: 'Succeeded' | 'Failed', condition?: Condition): Promise<void> {
    const { vmims } = this.#context.cluster;
    await this.#enter(phase, condition);
    await this.#removeTargetLabel();
    const migrationState = this.#view.state;
    if (migrationState !== undefined) {
      await vmims.updateStatus(this.#vmim, ({ status }) => {
        if (status) status.migrationState = migrationState;
      });
    }
    await vmims.update(this.#vmim, ({ metadata }) => {
      metadata.finalizers = metadata.finalizers?.filter((finalizer) => finalizer !== MIGRATION_FINALIZER) ?? [];
    });
  }

  async #removeTargetLabel(): Promise<void> {
    const vmi = this.#view.vmiNow;
    if (this.#view.state === undefined || vmi === undefined) return;
    await this.#context.cluster.vmis.update(vmi, ({ metadata }) => {
      delete metadata.labels?.[MIGRATION_TARGET_NODE_NAME];
    });
  }

  async #fail({ why }: MigrationOver): Promise<void> {
    const { cluster, signal } = this.#context;
    const state = this.#view.state;
    if (why === 'cancelled' && this.#view.target) await cluster.deletePod(this.#view.target);
    if (state !== undefined && state.startTimestamp === undefined) await this.#markFailedOnVmi();
    const isSettled = () => {
      const { state, vmiNow } = this.#view;
      return state === undefined || state.failed === true || state.completed === true || (vmiNow && isFinal(vmiNow));
    };
    if (state !== undefined) await cluster.until(isSettled, signal);
    await this.#finish('Failed', why === 'cancelled' ? abortRequested() : undefined);
  }

  /** The source never began to copy, so that no virt-handler will say that it failed. */
  async #markFailedOnVmi(): Promise<void> {
    const vmi = this.#view.vmiNow;
    if (vmi === undefined) return;
    await this.#context.cluster.vmis.update(vmi, ({ status }) => {
      if (status?.migrationState?.migrationUid !== this.#vmim.metadata.uid) return;
      const now = timestamp();
      Object.assign(status.migrationState, { startTimestamp: now, endTimestamp: now, failed: true, completed: true });
    });
  }

  /**
   * A migration that was handed off can be stopped only while it copies, by the source's virt-handler. The VMI is asked
   * before the VMIM says that it was.
   */
  async #abortWhenDeleted(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#context;
    const now = () => cluster.vmims.latest(this.#vmim);
    await cluster.until(() => this.#view.isHandedOff && now()?.metadata.deletionTimestamp !== undefined, signal);
    const isCopying = () => now()?.status?.phase === 'Running';
    const isAsked = isCopying();
    if (isAsked) await this.#requestAbort();
    await cluster.vmims.updateStatus(this.#vmim, (draft) => {
      draft.status = { ...draft.status, ...withCondition(draft.status?.conditions ?? [], abortRequested()) };
    });
    if (isAsked) return;
    await cluster.until(isCopying, signal);
    await this.#requestAbort();
  }

  async #requestAbort(): Promise<void> {
    const vmi = this.#view.vmiNow;
    if (vmi === undefined) return;
    await this.#context.cluster.vmis.update(vmi, ({ status }) => {
      const state = status?.migrationState;
      if (state?.migrationUid === this.#vmim.metadata.uid && !state.completed) state.abortRequested = true;
    });
  }

  async #deleteTargetPendingTooLong(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#context;
    for (;;) {
      const isOverdue = (pod: Pod | undefined) => pod && isPendingTooLong(pod, this.#vmim) && pod;
      await cluster.deletePod(await cluster.until(() => isOverdue(this.#view.targetNow), signal));
      await cluster.until(() => !isOverdue(this.#view.targetNow), signal);
    }
  }

  async #collectGarbage(): Promise<void> {
    const { vmims } = this.#context.cluster;
    const ended = this.#view.siblings().filter(isFinal).sort(byCreation);
    for (const vmim of ended.slice(0, -KEPT)) await vmims.delete(vmim);
  }

  /** Waits for `read`; rejects with MigrationOver as soon as the migration cannot go on. */
  async #until<T>(read: () => T | undefined | false): Promise<T> {
    const { cluster, signal } = this.#context;
    return cluster.until(() => {
      this.#view.throwIfOver();
      return read();
    }, signal);
  }

  /** Runs beside the migration until that has ended. */
  #beside(task: (signal: AbortSignal) => Promise<void>): void {
    const signal = AbortSignal.any([this.#context.signal, this.#ended.signal]);
    const life = () =>
      task(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    this.#context.lives.start(this.#vmim.metadata.name, life);
  }
}
