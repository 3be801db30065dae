import { abortable } from './abortable.ts';
import { addInterfaces, removeInterfaces } from './cni.ts';
import type { Context } from './context.ts';
import { MIGRATION_JOB_UID } from './labels.ts';
import { isControlledBy, isFinal, isLauncher, type Pod } from './objects.ts';
import { StepFailed } from './pace.ts';
import { type FinalPhase, isGateOpen, podStatus } from './pod-status.ts';

/** Runs the pods that are bound to the testbed's nodes: network first, then the container, until it ends or is deleted. */
export async function runPods(context: Context): Promise<void> {
  const { cluster, testbed, lives } = context;
  await Promise.all(testbed.chassis.map(({ node, address }) => cluster.registerNode(node, address)));
  const nodes = new Set<string | undefined>(testbed.chassis.map(({ node }) => node));
  const bound = () => cluster.pods.all().filter((pod) => nodes.has(pod.spec.nodeName) && !isFinal(pod));
  lives.onEach(bound, (pod) => new PodWorker(pod, context).run());
}

class PodWorker {
  readonly #pod: Pod;
  readonly #context: Context;
  readonly #deletion = new AbortController();
  /** Aborts when its container has ended. */
  readonly #stopped = new AbortController();
  #isNodeLost = false;

  constructor(pod: Pod, context: Context) {
    this.#pod = pod;
    this.#context = context;
  }

  async run(): Promise<void> {
    const { cluster, signal } = this.#context;
    this.#log('bound');
    cluster.onChange(() => this.#watchForDeletion(), AbortSignal.any([signal, this.#deletion.signal]));
    const alive = AbortSignal.any([signal, this.#deletion.signal]);
    try {
      await (this.#isOfVmi() ? this.#runLauncher(alive) : this.#runOther(alive));
    } catch (error) {
      if (!alive.aborted) throw error;
    }
    await cluster.until(() => this.#deletion.signal.aborted, signal);
    // Kubernetes' garbage collector for pods calls those of a node that is gone Failed before it deletes them.
    if (this.#isNodeLost) await cluster.patchPodStatus(this.#pod, podStatus.final('Failed'));
    await cluster.deletePod(this.#pod, 0);
    this.#log('deleted');
  }

  async #runLauncher(alive: AbortSignal): Promise<void> {
    const { cluster, guests, launchers, testbed, pace, log } = this.#context;
    const pod = this.#pod;
    await cluster.patchPodStatus(pod, podStatus.accepted(pod));
    const plugged = this.#plug();
    let phase: FinalPhase;
    try {
      phase = await this.#runContainer(plugged, alive);
      await cluster.patchPodStatus(pod, podStatus.terminated(pod, phase));
    } finally {
      this.#stopped.abort();
      await launchers.close(pod);
      // A plug that is still being made would outlast its pod.
      await plugged.catch(() => {});
      if (!this.#isNodeLost) await removeInterfaces(pod, testbed, guests);
      log('unplugged', this.#names);
    }
    await cluster.patchPodStatus(pod, podStatus.sandboxGone(phase));
    if (phase === 'Succeeded') await pace('podCompletes', migrationOf(pod), alive);
    await cluster.patchPodStatus(pod, podStatus.final(phase));
    this.#log('ended', { phase });
  }

  /** Resolves with how the container ended. */
  async #runContainer(plugged: Promise<void>, alive: AbortSignal): Promise<FinalPhase> {
    const { cluster, launchers, lives, pace } = this.#context;
    const pod = this.#pod;
    try {
      await Promise.all([plugged, pace('containersStart', migrationOf(pod), alive)]);
    } catch (error) {
      if (error instanceof StepFailed) return 'Failed';
      throw error;
    }
    const { ended } = launchers.open(pod);
    const latest = cluster.pods.latest(pod) ?? pod;
    await cluster.patchPodStatus(pod, podStatus.running(latest, this.#hostIP));
    this.#log('running');
    if (!isGateOpen(latest)) lives.start(pod.metadata.name, () => this.#becomeReady(alive));
    return abortable(ended, alive);
  }

  /** CNI ADD, and what the kubelet says of it. */
  async #plug(): Promise<void> {
    const { cluster, guests, testbed, log } = this.#context;
    const interfaces = await addInterfaces(this.#pod, testbed, guests);
    for (const { tap, port } of interfaces) log('plugged', { ...this.#names, tap, port });
    await cluster.patchPodStatus(this.#pod, podStatus.sandboxReady());
    await cluster.patchPodStatus(this.#pod, podStatus.initialized(interfaces[0]?.ip));
  }

  /** A target's readiness gate opens after the guest has arrived. */
  async #becomeReady(alive: AbortSignal): Promise<void> {
    const { cluster, pace } = this.#context;
    const signal = AbortSignal.any([alive, this.#stopped.signal]);
    try {
      await cluster.until(() => isGateOpen(cluster.pods.latest(this.#pod) ?? this.#pod), signal);
      await pace('targetReady', migrationOf(this.#pod), signal);
      await cluster.patchPodStatus(this.#pod, podStatus.ready());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A pod without a network of ours, which does nothing. */
  async #runOther(alive: AbortSignal): Promise<void> {
    await this.#context.cluster.patchPodStatus(this.#pod, podStatus.running(this.#pod, this.#hostIP));
    this.#log('running');
    await abortable(new Promise<never>(() => {}), alive);
  }

  /** Labels are anybody's to write; a pod that only looks like a launcher gets no plug of a VM. */
  #isOfVmi(): boolean {
    return isLauncher(this.#pod) && this.#context.cluster.vmis.all().some((vmi) => isControlledBy(this.#pod, vmi));
  }

  #watchForDeletion(): void {
    const { cluster } = this.#context;
    const latest = cluster.pods.latest(this.#pod);
    this.#isNodeLost = !cluster.nodeNames().includes(this.#pod.spec.nodeName ?? '');
    const isDeleted = latest === undefined || latest.metadata.deletionTimestamp !== undefined;
    if (isDeleted || this.#isNodeLost) this.#deletion.abort();
  }

  get #hostIP(): string | undefined {
    return this.#context.testbed.chassis.find(({ node }) => node === this.#pod.spec.nodeName)?.address;
  }

  get #names(): Record<string, unknown> {
    return { pod: this.#pod.metadata.name, node: this.#pod.spec.nodeName, migration: migrationOf(this.#pod) };
  }

  #log(state: string, details: object = {}): void {
    this.#context.log('pod', { ...this.#names, state, ...details });
  }
}

function migrationOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[MIGRATION_JOB_UID];
}
