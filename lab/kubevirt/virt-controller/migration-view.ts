import type { Cluster } from '../cluster.ts';
import { PENDING_TIMEOUT, UNSCHEDULABLE_TIMEOUT } from '../labels.ts';
import {
  isControlledBy,
  isFinal,
  isLauncher,
  type MigrationState,
  type Pod,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../objects.ts';

/** The migration cannot go on: its VMIM becomes Failed. */
export class MigrationOver extends Error {
  readonly why: 'cancelled' | 'another-in-flight' | 'vmi-ended' | 'target-removed' | 'target-ended' | 'copy-failed';

  constructor(why: MigrationOver['why']) {
    super(why);
    this.why = why;
  }
}

/** What the API says of one migration right now. */
export class MigrationView {
  vmi: Vmi | undefined;
  target: Pod | undefined;
  isHandedOff = false;
  readonly #vmim: Vmim;
  readonly #cluster: Cluster;

  constructor(vmim: Vmim, cluster: Cluster) {
    this.#vmim = vmim;
    this.#cluster = cluster;
  }

  /** @throws MigrationOver when the migration cannot go on. */
  throwIfOver(): void {
    const vmim = this.#cluster.vmims.latest(this.#vmim);
    const vmi = this.vmiNow;
    if (vmi === undefined || isFinal(vmi)) throw new MigrationOver('vmi-ended');
    // Without KubeVirt's finalizer a deleted VMIM is gone at once.
    const isDeleted = vmim === undefined || vmim.metadata.deletionTimestamp !== undefined;
    if (isDeleted && !this.isHandedOff) throw new MigrationOver('cancelled');
    if (this.target && !this.targetNow) throw new MigrationOver('target-removed');
    if (this.targetNow && isFinal(this.targetNow)) throw new MigrationOver('target-ended');
    if (this.state?.failed) throw new MigrationOver('copy-failed');
  }

  /** No older migration waits, and no pod of an earlier one is alive. */
  isTurn(): boolean {
    const older = this.siblings().filter((vmim) => !isFinal(vmim) && byCreation(vmim, this.#vmim) < 0);
    return older.length === 0 && this.launchers().length === 1;
  }

  isOtherHandedOff(): boolean {
    const current = this.vmiNow?.status?.migrationState?.migrationUid;
    return this.siblings().some((vmim) => vmim.metadata.uid === current && !isFinal(vmim));
  }

  get vmiNow(): Vmi | undefined {
    return this.vmi && this.#cluster.vmis.latest(this.vmi);
  }

  get targetNow(): Pod | undefined {
    return this.target && this.#cluster.pods.latest(this.target);
  }

  /** What the VMI says of this migration; nothing until hand-off. */
  get state(): MigrationState | undefined {
    const state = this.vmiNow?.status?.migrationState;
    return state?.migrationUid === this.#vmim.metadata.uid ? state : undefined;
  }

  /** The VMI's launcher pods that have not ended. */
  launchers(): Pod[] {
    const vmi = this.vmi;
    if (vmi === undefined) return [];
    return this.#cluster.pods.all().filter((pod) => isLauncher(pod) && isControlledBy(pod, vmi) && !isFinal(pod));
  }

  /** All VMIMs of the VMI. */
  siblings(): Vmim[] {
    const { namespace } = this.#vmim.metadata;
    const isSibling = ({ metadata, spec }: Vmim) =>
      metadata.namespace === namespace && spec.vmiName === this.#vmim.spec.vmiName;
    return this.#cluster.vmims.all().filter(isSibling);
  }
}

/** KubeVirt's time-outs for target pods. A gated pod is not `Unschedulable`: the longer one holds for it. */
export function isPendingTooLong({ metadata, status }: Pod, vmim: Vmim): boolean {
  if (status?.phase !== 'Pending' || metadata.deletionTimestamp !== undefined) return false;
  const seconds = (Date.now() - new Date(metadata.creationTimestamp).getTime()) / 1000;
  const limit = (annotation: string, fallback: number) => Number(vmim.metadata.annotations?.[annotation] ?? fallback);
  const isUnschedulable = status.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
  return (isUnschedulable && seconds >= limit(UNSCHEDULABLE_TIMEOUT, 300)) || seconds >= limit(PENDING_TIMEOUT, 900);
}

export function byCreation(a: Vmim, b: Vmim): number {
  const key = ({ metadata }: Vmim) => `${metadata.creationTimestamp} ${metadata.uid}`;
  return key(a).localeCompare(key(b));
}
