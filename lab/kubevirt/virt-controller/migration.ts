import type { Context } from '../context.ts';
import {
  HOTPLUG,
  MIGRATION_FINALIZER,
  MIGRATION_TARGET_NODE_NAME,
  MIGRATION_TARGET_READY,
  NODE_NAME,
  PENDING_TIMEOUT,
  UNSCHEDULABLE_TIMEOUT,
} from '../labels.ts';
import { attachmentPod, targetPod } from '../manifests.ts';
import {
  type Condition,
  isControlledBy,
  isFinal,
  isLauncher,
  type MigrationPhase,
  type MigrationState,
  type Pod,
  timestamp,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../objects.ts';

/** How many ended VMIMs of a VMI are kept. */
const KEPT = 5;

/** What KubeVirt's cluster configuration holds by default. */
const CONFIGURATION = {
  allowAutoConverge: false,
  allowPostCopy: false,
  allowWorkloadDisruption: false,
  bandwidthPerMigration: '0',
  completionTimeoutPerGiB: 150,
  progressTimeout: 150,
  unsafeMigrationOverride: false,
};

/** virt-controller's part for VMIMs. */
export function controlMigrations(context: Context): void {
  const { cluster, lives } = context;
  const unfinished = () => cluster.vmims.all().filter((vmim) => !isFinal(vmim));
  lives.onEach(unfinished, (vmim) => new MigrationControl(vmim, context).run());
}

/** The migration cannot go on: its VMIM becomes Failed. */
class MigrationOver extends Error {
  readonly cancelled: boolean;

  constructor(reason: string, cancelled = false) {
    super(reason);
    this.cancelled = cancelled;
  }
}

/** One migration from its VMIM's creation to its end, in the order in which KubeVirt writes. */
class MigrationControl {
  readonly #context: Context;
  readonly #vmim: Vmim;
  #vmi: Vmi | undefined;
  #target: Pod | undefined;
  #attachment: Pod | undefined;
  #isHandedOff = false;
  readonly #ended = new AbortController();

  constructor(vmim: Vmim, context: Context) {
    this.#vmim = vmim;
    this.#context = context;
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
    if (vmi === undefined) throw new MigrationOver('VMI does not exist');
    this.#vmi = vmi;
    if (this.#isOtherHandedOff()) throw new MigrationOver('another migration job is in progress');
    await this.#enter('Pending');
    await this.#until(() => this.#isTurn());
    await this.#createTargetPod();
    if (HOTPLUG in (vmi.metadata.annotations ?? {})) await this.#attachVolumes();
    await this.#enter('Scheduling');
    await this.#targetRuns();
    await this.#enter('Scheduled');
    await this.#handOff();
    await this.#enter('PreparingTarget');
    await this.#until(() => this.#state?.targetNodeAddress);
    await this.#enter('TargetReady');
    await this.#until(() => this.#state?.startTimestamp);
    await this.#enter('Running');
    await this.#markTargetReady(await this.#until(() => this.#state?.targetNodeDomainReadyTimestamp));
    await this.#until(() => this.#state?.completed);
    await this.#finish('Succeeded');
    await this.#syncNodeLabel();
  }

  async #enter(phase: MigrationPhase, condition?: Condition): Promise<void> {
    const { cluster, log } = this.#context;
    const node = this.#vmiNow?.status?.nodeName;
    const source = this.#launchers().find(({ spec }) => spec.nodeName === node)?.metadata.name;
    await cluster.vmims.updateStatus(this.#vmim, (draft) => {
      const { phaseTransitionTimestamps = [], migrationState, conditions = [], ...rest } = draft.status ?? {};
      const transition = { phase, phaseTransitionTimestamp: timestamp() };
      const sourcePod = migrationState?.sourcePod ?? source;
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
    const { cluster } = this.#context;
    const vmi = await this.#until(() => this.#vmiNow);
    const created = await cluster.createPod(targetPod(vmi, this.#vmim));
    await this.#until(() => cluster.pods.latest(created));
    this.#target = created;
  }

  /** Resolves with the target pod when it runs; before, the VMI is told of its node. */
  async #targetRuns(): Promise<Pod> {
    const { cluster } = this.#context;
    const { metadata, spec } = await this.#until(() => this.#targetNow?.spec.nodeName !== undefined && this.#targetNow);
    await cluster.vmis.update(await this.#until(() => this.#vmiNow), ({ status }) => {
      if (status) status.activePods = { ...status.activePods, [metadata.uid]: spec.nodeName ?? '' };
    });
    return this.#until(() => this.#targetNow?.status?.phase === 'Running' && this.#targetNow);
  }

  /** With hotplug volumes, the launcher and the pod that brings its volumes come up while the phase is Pending. */
  async #attachVolumes(): Promise<void> {
    const { cluster } = this.#context;
    const created = await cluster.createPod(attachmentPod(await this.#targetRuns(), this.#vmim));
    await this.#until(() => cluster.pods.latest(created)?.status?.phase === 'Running');
    this.#attachment = created;
  }

  /** From here on the two virt-handlers act. What the VMI said of an earlier migration is replaced. */
  async #handOff(): Promise<void> {
    const { cluster } = this.#context;
    const target = await this.#until(() => this.#targetNow);
    const targetNode = target.spec.nodeName ?? '';
    const sourcePod = cluster.vmims.latest(this.#vmim)?.status?.migrationState?.sourcePod;
    await cluster.vmis.update(await this.#until(() => this.#vmiNow), ({ metadata, status }) => {
      if (status?.nodeName === undefined) return;
      status.migrationState = {
        migrationUid: this.#vmim.metadata.uid,
        sourceNode: status.nodeName,
        ...(sourcePod !== undefined && { sourcePod }),
        targetNode,
        targetPod: target.metadata.name,
        ...(this.#attachment !== undefined && { targetAttachmentPodUID: this.#attachment.metadata.uid }),
        migrationConfiguration: CONFIGURATION,
      };
      metadata.labels = { ...metadata.labels, [MIGRATION_TARGET_NODE_NAME]: targetNode };
    });
    this.#isHandedOff = true;
    await this.#until(() => this.#state);
  }

  /** Says on the target pod since when the guest runs there, in the format in which Go prints a time. */
  async #markTargetReady(readyTimestamp: string): Promise<void> {
    const goTime = `${readyTimestamp.replace('T', ' ').replace('Z', '')} +0000 UTC`;
    const target = await this.#until(() => this.#targetNow);
    await this.#context.cluster.patchPod(target, { metadata: { annotations: { [MIGRATION_TARGET_READY]: goTime } } });
  }

  /** Three updates: the phase, the VMI's migrationState if it is of this migration, the finalizer. */
  async #finish(phase: 'Succeeded' | 'Failed', condition?: Condition): Promise<void> {
    const { vmims } = this.#context.cluster;
    await this.#enter(phase, condition);
    const migrationState = this.#state;
    if (migrationState !== undefined) {
      await vmims.updateStatus(this.#vmim, ({ status }) => {
        if (status) status.migrationState = migrationState;
      });
    }
    await vmims.update(this.#vmim, ({ metadata }) => {
      metadata.finalizers = metadata.finalizers?.filter((finalizer) => finalizer !== MIGRATION_FINALIZER) ?? [];
    });
  }

  async #fail({ cancelled }: MigrationOver): Promise<void> {
    const { cluster, signal } = this.#context;
    const state = this.#state;
    if (!this.#isHandedOff && cancelled && this.#target) await cluster.deletePod(this.#target);
    if (state !== undefined && state.startTimestamp === undefined) await this.#markFailedOnVmi();
    const isSettled = () => this.#state === undefined || this.#state.failed === true || this.#state.completed === true;
    if (state !== undefined) await cluster.until(isSettled, signal);
    await this.#finish('Failed', cancelled ? abortRequested() : undefined);
  }

  /** The source never began to copy, so that no virt-handler will say that it failed. */
  async #markFailedOnVmi(): Promise<void> {
    const vmi = this.#vmiNow;
    if (vmi === undefined) return;
    await this.#context.cluster.vmis.update(vmi, ({ metadata, status }) => {
      if (status?.migrationState?.migrationUid !== this.#vmim.metadata.uid) return;
      const now = timestamp();
      Object.assign(status.migrationState, { startTimestamp: now, endTimestamp: now, failed: true, completed: true });
      delete metadata.labels?.[MIGRATION_TARGET_NODE_NAME];
    });
  }

  /** A migration that was handed off can be stopped only while it copies, by the source's virt-handler. */
  async #abortWhenDeleted(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#context;
    const now = () => cluster.vmims.latest(this.#vmim);
    await cluster.until(() => this.#isHandedOff && now()?.metadata.deletionTimestamp !== undefined, signal);
    await cluster.vmims.updateStatus(this.#vmim, (draft) => {
      draft.status = { ...draft.status, ...withCondition(draft.status?.conditions ?? [], abortRequested()) };
    });
    await cluster.until(() => now()?.status?.phase === 'Running', signal);
    const vmi = this.#vmiNow;
    if (vmi === undefined) return;
    await cluster.vmis.update(vmi, ({ status }) => {
      const state = status?.migrationState;
      if (state?.migrationUid === this.#vmim.metadata.uid && !state.completed) state.abortRequested = true;
    });
  }

  async #deleteTargetPendingTooLong(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#context;
    await cluster.until(() => this.#targetNow && isPendingTooLong(this.#targetNow, this.#vmim), signal);
    if (this.#targetNow !== undefined) await cluster.deletePod(this.#targetNow);
  }

  /** The label on the launcher names the guest's node again. */
  async #syncNodeLabel(): Promise<void> {
    const target = this.#targetNow;
    if (target === undefined) return;
    await this.#context.cluster.patchPod(target, { metadata: { labels: { [NODE_NAME]: target.spec.nodeName } } });
  }

  async #collectGarbage(): Promise<void> {
    const { vmims } = this.#context.cluster;
    const ended = this.#siblings().filter(isFinal).sort(byCreation);
    for (const vmim of ended.slice(0, -KEPT)) await vmims.delete(vmim);
  }

  /** Waits for `read`; rejects with MigrationOver as soon as the migration cannot go on. */
  async #until<T>(read: () => T | undefined | false): Promise<T> {
    const { cluster, signal } = this.#context;
    return cluster.until(() => {
      this.#throwIfOver();
      return read();
    }, signal);
  }

  #throwIfOver(): void {
    const vmim = this.#context.cluster.vmims.latest(this.#vmim);
    const vmi = this.#vmiNow;
    if (vmi === undefined || isFinal(vmi)) throw new MigrationOver('the VMI has ended');
    if (!this.#isHandedOff && vmim?.metadata.deletionTimestamp !== undefined)
      throw new MigrationOver('cancelled', true);
    if (this.#target && !this.#targetNow) throw new MigrationOver('target pod was removed during the migration');
    if (this.#targetNow && isFinal(this.#targetNow))
      throw new MigrationOver('target pod shut down during the migration');
    if (this.#state?.failed) throw new MigrationOver('source node reported that the migration failed');
  }

  /** No older migration waits, and no pod of an earlier one is alive. */
  #isTurn(): boolean {
    const older = this.#siblings().filter((vmim) => !isFinal(vmim) && byCreation(vmim, this.#vmim) < 0);
    return older.length === 0 && this.#launchers().length === 1;
  }

  #isOtherHandedOff(): boolean {
    const current = this.#vmiNow?.status?.migrationState?.migrationUid;
    return this.#siblings().some(
      ({ metadata, status }) => metadata.uid === current && !isFinal({ status: status ?? {} }),
    );
  }

  get #vmiNow(): Vmi | undefined {
    return this.#vmi && this.#context.cluster.vmis.latest(this.#vmi);
  }

  get #targetNow(): Pod | undefined {
    return this.#target && this.#context.cluster.pods.latest(this.#target);
  }

  /** What the VMI says of this migration; nothing until hand-off. */
  get #state(): MigrationState | undefined {
    const state = this.#vmiNow?.status?.migrationState;
    return state?.migrationUid === this.#vmim.metadata.uid ? state : undefined;
  }

  /** The VMI's launcher pods that have not ended. */
  #launchers(): Pod[] {
    const vmi = this.#vmi;
    if (vmi === undefined) return [];
    return this.#context.cluster.pods
      .all()
      .filter((pod) => isLauncher(pod) && isControlledBy(pod, vmi) && !isFinal(pod));
  }

  /** All VMIMs of the VMI. */
  #siblings(): Vmim[] {
    const { namespace } = this.#vmim.metadata;
    const isSibling = ({ metadata, spec }: Vmim) =>
      metadata.namespace === namespace && spec.vmiName === this.#vmim.spec.vmiName;
    return this.#context.cluster.vmims.all().filter(isSibling);
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

/** KubeVirt's time-outs for target pods. A gated pod is not `Unschedulable`: the longer one holds for it. */
function isPendingTooLong({ metadata, status }: Pod, vmim: Vmim): boolean {
  if (status?.phase !== 'Pending' || metadata.deletionTimestamp !== undefined) return false;
  const seconds = (Date.now() - new Date(metadata.creationTimestamp).getTime()) / 1000;
  const limit = (annotation: string, fallback: number) => Number(vmim.metadata.annotations?.[annotation] ?? fallback);
  const isUnschedulable = status.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
  return (isUnschedulable && seconds >= limit(UNSCHEDULABLE_TIMEOUT, 300)) || seconds >= limit(PENDING_TIMEOUT, 900);
}

function abortRequested(): Condition {
  return { type: 'migrationAbortRequested', status: 'True', lastProbeTime: timestamp(), lastTransitionTime: null };
}

function withCondition(conditions: readonly Condition[], added: Condition | undefined): { conditions?: Condition[] } {
  const isThere = conditions.some(({ type }) => type === added?.type);
  const all = added === undefined || isThere ? [...conditions] : [...conditions, added];
  return all.length > 0 ? { conditions: all } : {};
}

function byCreation(a: Vmim, b: Vmim): number {
  const key = ({ metadata }: Vmim) => `${metadata.creationTimestamp} ${metadata.uid}`;
  return key(a).localeCompare(key(b));
}
