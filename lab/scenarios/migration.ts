import type { Cluster } from '../kubevirt/cluster.ts';
import { FAIL, HOLD, MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import { migration as manifest } from '../kubevirt/manifests.ts';
import {
  isControlledBy,
  isFinal,
  type MigrationPhase,
  type Pod,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../kubevirt/objects.ts';
import type { Step } from '../kubevirt/pace.ts';

export interface MigrateOptions {
  /** Node; any other than the source's if left out. */
  readonly to?: string;
  readonly hold?: Step;
  readonly fail?: Step;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Without it KubeVirt's webhooks had no part in its making. */
  readonly isLabelled?: false;
  /** Its whole name, where that matters; else as `virtctl migrate` has it named. */
  readonly name?: string;
}

/** Longer than any step of a migration takes on a busy machine. */
const PATIENCE_MS = 90_000;

/** A migration that a scenario has asked for. */
export class Migration {
  readonly vmim: Vmim;
  readonly #cluster: Cluster;

  private constructor(vmim: Vmim, cluster: Cluster) {
    this.vmim = vmim;
    this.#cluster = cluster;
  }

  static async start(
    vm: { readonly name: string; readonly namespace: string },
    { to, hold, fail, annotations = {}, name, isLabelled }: MigrateOptions,
    cluster: Cluster,
  ): Promise<Migration> {
    const body = manifest({
      vmiName: vm.name,
      namespace: vm.namespace,
      ...(to !== undefined && { targetNode: to }),
      annotations: { ...annotations, ...(hold && { [HOLD]: hold }), ...(fail && { [FAIL]: fail }) },
    });
    const metadata = name === undefined ? body.metadata : named(body, name);
    const { labels: _, ...unlabelled } = metadata;
    const vmim = await cluster.vmims.create({ ...body, metadata: isLabelled === false ? unlabelled : metadata });
    const migration = new Migration(vmim, cluster);
    // What is not yet seen would look as if it were gone.
    await migration.until('it is seen', () => cluster.vmims.latest(vmim));
    return migration;
  }

  get uid(): string {
    return this.vmim.metadata.uid;
  }

  /** Resolves when the migration stands at the step, at which it is held. */
  async at(step: PhasedStep): Promise<void> {
    if (step === 'containersStart') await this.until('its target has a node', () => this.target()?.spec.nodeName);
    else if (step === 'switchAcknowledged') await this.until('the guest has switched', () => this.#hasSwitched());
    else await this.until(`it is ${PHASE_AT[step]}`, () => this.phase() === PHASE_AT[step]);
  }

  /** Lets it go on from where it is held, to the next step at which it is to be held, if to any. */
  async go(next?: Step): Promise<void> {
    await this.#cluster.vmims.update(this.vmim, ({ metadata }) => {
      const { [HOLD]: _, ...rest } = metadata.annotations ?? {};
      metadata.annotations = next === undefined ? rest : { ...rest, [HOLD]: next };
    });
  }

  /** As somebody impatient would: takes all gates off the target pod. */
  async openGate(): Promise<void> {
    const target = await this.until('its target waits at its gate', () => this.target());
    await this.#cluster.patchPod(target, { spec: { schedulingGates: [] } });
  }

  /** Changes its VMIM without a meaning, so that there is an event of it. */
  async touch(): Promise<void> {
    await this.#cluster.vmims.update(this.vmim, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'lab.ovn-handover.dev/touched': new Date().toISOString() };
    });
  }

  /** The same of its target pod, by which Kube-OVN writes the port's external_ids anew. */
  async touchTarget(): Promise<void> {
    const target = await this.until('it has a target', () => this.target());
    const annotations = { 'lab.ovn-handover.dev/touched': new Date().toISOString() };
    await this.#cluster.patchPod(target, { metadata: { annotations } });
  }

  async cancel(): Promise<void> {
    await this.#cluster.vmims.delete(this.vmim);
  }

  /** How it ended; a VMIM that is cancelled goes right after it was final. */
  async ended(): Promise<'Succeeded' | 'Failed'> {
    let last: MigrationPhase | undefined;
    await this.until('it has ended', () => {
      const vmim = this.#cluster.vmims.latest(this.vmim);
      last = vmim?.status?.phase ?? last;
      return vmim === undefined || isFinal(vmim);
    });
    if (last !== 'Succeeded') return 'Failed';
    // Each kind is watched by itself: here the end may be seen before the node, which KubeVirt writes before it.
    await this.until('its VMI has the node of its target', () => this.#hasArrived());
    return last;
  }

  /** Its newest target pod, if there is one. */
  target(): Pod | undefined {
    const owner = this.#vmi();
    return this.#cluster.pods
      .all()
      .filter(({ metadata }) => metadata.labels?.[MIGRATION_JOB_UID] === this.uid)
      .filter((pod) => owner !== undefined && isControlledBy(pod, owner))
      .sort((a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion))[0];
  }

  #vmi(): Vmi | undefined {
    return this.#cluster.vmis.get(this.vmim.metadata.namespace, this.vmim.spec.vmiName);
  }

  /** Its target pod is there, and no gate holds it. */
  isLetGo(): boolean {
    const target = this.target();
    return target !== undefined && (target.spec.schedulingGates ?? []).length === 0;
  }

  /** @throws Error that says what did not come. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return this.#cluster.until(look, signal).catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
      const phase = this.phase() ?? 'gone';
      throw new Error(`It did not come that ${what}; VMIM ${this.vmim.metadata.name} is ${phase}.`, { cause });
    });
  }

  /** Nothing when the VMIM is gone. */
  phase(): MigrationPhase | undefined {
    return this.#cluster.vmims.latest(this.vmim)?.status?.phase;
  }

  /** Also where the VM has gone on since, or is gone. */
  #hasArrived(): boolean {
    const target = this.target();
    return target === undefined || isFinal(target) || target.spec.nodeName === this.#vmi()?.status?.nodeName;
  }

  #hasSwitched(): boolean {
    const state = this.#vmi()?.status?.migrationState;
    return state?.migrationUid === this.uid && state.targetNodeDomainReadyTimestamp !== undefined;
  }
}

/** The phase in which a migration waits at a step. */
const PHASE_AT = {
  turn: 'Pending',
  handOff: 'Scheduled',
  targetPrepares: 'PreparingTarget',
  sourceStarts: 'TargetReady',
  copy: 'Running',
  resume: 'Running',
  switchReported: 'Running',
} as const satisfies Partial<Record<Step, MigrationPhase>>;

/** A step that shows in Kubernetes when a migration stands there. */
export type PhasedStep = keyof typeof PHASE_AT | 'containersStart' | 'switchAcknowledged';

function named(body: ReturnType<typeof manifest>, name: string) {
  const { generateName, ...metadata } = body.metadata;
  return { ...metadata, name };
}
