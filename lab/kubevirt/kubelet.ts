import { abortable } from './abortable.ts';
import { addInterfaces, removeInterfaces, vmOf } from './cni.ts';
import type { Context } from './context.ts';
import { MIGRATION_JOB_UID } from './labels.ts';
import { isControlledBy, isFinal, isLauncher, type Pod, timestamp } from './objects.ts';
import { StepFailed } from './pace.ts';

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
    if (this.#isNodeLost) await cluster.patchPodStatus(this.#pod, this.#terminated('Failed'));
    await cluster.deletePod(this.#pod, 0);
    this.#log('deleted');
  }

  async #runLauncher(alive: AbortSignal): Promise<void> {
    const { cluster, guests, launchers, testbed, pace, log } = this.#context;
    const pod = this.#pod;
    const names = { pod: pod.metadata.name, node: pod.spec.nodeName, migration: migrationOf(pod) };
    const plugged = addInterfaces(pod, testbed, guests).then((interfaces) => {
      for (const { tap, port } of interfaces) log('plugged', { ...names, tap, port });
    });
    try {
      await Promise.all([plugged, pace('containersStart', migrationOf(pod), alive)]);
      const { ended } = launchers.open(pod);
      await cluster.patchPodStatus(pod, this.#running(vmOf(pod, testbed).interfaces[0].ip));
      this.#log('running');
      const phase = await abortable(ended, alive);
      await cluster.patchPodStatus(pod, this.#terminated(phase));
      this.#log('ended', { phase });
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      await cluster.patchPodStatus(pod, this.#terminated('Failed'));
      this.#log('ended', { phase: 'Failed' });
    } finally {
      await launchers.close(pod);
      // A plug that is still being made would outlast its pod.
      await plugged.catch(() => {});
      if (!this.#isNodeLost) await removeInterfaces(pod, testbed, guests);
      log('unplugged', names);
    }
  }

  /** A pod without a network of ours, which does nothing. */
  async #runOther(alive: AbortSignal): Promise<void> {
    await this.#context.cluster.patchPodStatus(this.#pod, this.#running());
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

  #running(podIP?: string): object {
    const address = podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] };
    const hostIP = this.#context.testbed.chassis.find(({ node }) => node === this.#pod.spec.nodeName)?.address;
    const state = { running: { startedAt: timestamp() } };
    return { phase: 'Running', ...address, hostIP, containerStatuses: [this.#container(true, state)] };
  }

  #terminated(phase: 'Succeeded' | 'Failed'): object {
    const result = phase === 'Succeeded' ? { exitCode: 0, reason: 'Completed' } : { exitCode: 1, reason: 'Error' };
    const state = { terminated: { ...result, finishedAt: timestamp() } };
    return { phase, containerStatuses: [this.#container(false, state)] };
  }

  #container(isUp: boolean, state: object): object {
    const { name = '', image = '' } = this.#pod.spec.containers[0] ?? {};
    return { name, image, imageID: '', ready: isUp, restartCount: 0, started: isUp, lastState: {}, state };
  }

  #log(state: string, details: object = {}): void {
    const { metadata, spec } = this.#pod;
    const names = { pod: metadata.name, node: spec.nodeName, migration: migrationOf(this.#pod) };
    this.#context.log('pod', { ...names, state, ...details });
  }
}

function migrationOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[MIGRATION_JOB_UID];
}
