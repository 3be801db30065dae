import { EventEmitter } from 'node:events';
import {
  CoreV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1Node,
  type V1Pod,
} from '@kubernetes/client-node';
import { CustomResource } from './custom-resource.ts';
import type {
  KubernetesObject,
  Manifest,
  Pod,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from './objects.ts';
import { isStatus, nameOf, unlessGone } from './request.ts';
import { Watched } from './watched.ts';

/** How often conditions are looked at without a change: those that depend on time become true then. */
const RESYNC_MS = 1_000;
/** With what the names of the functions begin where they report Events. */
const OURS = 'ovn-handover.dev/';

/** The Kubernetes API as KubeVirt's parts use it: watches with their caches, and the writes. */
export class Cluster {
  readonly nodes: Watched<KubernetesObject>;
  readonly pods: Watched<Pod>;
  readonly vms: CustomResource<VirtualMachine>;
  readonly vmis: CustomResource<VirtualMachineInstance>;
  readonly vmims: CustomResource<VirtualMachineInstanceMigration>;
  readonly #core: CoreV1Api;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(config: KubeConfig) {
    const changed = () => void this.#changes.emit('change');
    this.#core = config.makeApiClient(CoreV1Api);
    this.nodes = new Watched<KubernetesObject>(config, '/api/v1/nodes', () => this.#core.listNode(), changed);
    this.pods = new Watched<Pod>(config, '/api/v1/pods', () => this.#core.listPodForAllNamespaces(), changed);
    this.vms = new CustomResource<VirtualMachine>(config, 'virtualmachines', changed);
    this.vmis = new CustomResource<VirtualMachineInstance>(config, 'virtualmachineinstances', changed);
    this.vmims = new CustomResource<VirtualMachineInstanceMigration>(
      config,
      'virtualmachineinstancemigrations',
      changed,
    );
  }

  /** In alphabetical order. */
  nodeNames(): string[] {
    return this.nodes
      .all()
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  /** Resolves when all kinds have been listed. */
  async start(): Promise<void> {
    await Promise.all(this.#watched().map((watched) => watched.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watched().map((watched) => watched.stop()));
  }

  /** Calls `look` now, after each change of any object, and every second. */
  onChange(look: () => void, signal: AbortSignal): void {
    const timer = setInterval(look, RESYNC_MS);
    this.#changes.on('change', look);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      this.#changes.off('change', look);
    });
    look();
  }

  /**
   * Resolves with what `read` gives as soon as that is not `undefined` or `false`; rejects with what `read` throws, and
   * when `signal` aborts.
   */
  async until<T>(read: () => T | undefined | false, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const done = new AbortController();
    try {
      return await new Promise<T>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { signal: done.signal });
        this.onChange(() => {
          try {
            const value = read();
            if (value !== undefined && value !== false) resolve(value);
          } catch (error) {
            reject(error);
          }
        }, done.signal);
      });
    } finally {
      done.abort();
    }
  }

  async createPod(manifest: Manifest<Pod>): Promise<Pod> {
    const body = manifest as unknown as V1Pod;
    const pod = await this.#core.createNamespacedPod({ namespace: manifest.metadata.namespace, body });
    return pod as unknown as Pod;
  }

  async patchPod(pod: Pod, patch: PodPatch): Promise<void> {
    await unlessGone(this.#core.patchNamespacedPod({ ...nameOf(pod), body: patch }, MERGE));
  }

  /** Conditions are merged by their type: several write them. */
  async patchPodStatus(pod: Pod, status: object): Promise<void> {
    await unlessGone(this.#core.patchNamespacedPodStatus({ ...nameOf(pod), body: { status } }, STRATEGIC_MERGE));
  }

  /** Does nothing if the pod is gone or being deleted, or has scheduling gates or a node already. */
  async bindPod(pod: Pod, node: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.metadata.name }, target };
    await unlessGone(this.#core.createNamespacedPodBinding({ ...nameOf(pod), body }), 409);
  }

  /** As an operator does when a machine is gone for good. */
  async deleteNode(name: string): Promise<void> {
    await unlessGone(this.#core.deleteNode({ name }));
  }

  /** @param gracePeriodSeconds 0 takes the object away at once: for the kubelet alone. */
  async deletePod(pod: Pod, gracePeriodSeconds?: 0): Promise<void> {
    const preconditions = { uid: pod.metadata.uid };
    const body = { preconditions, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) };
    await unlessGone(this.#core.deleteNamespacedPod({ ...nameOf(pod), body }), 409);
  }

  /** Our warnings on a VMI, as `kubectl describe` shows them: KubeVirt has some of its own, and tries again. */
  async warningsAbout({ namespace, name }: { namespace: string; name: string }): Promise<Warning[]> {
    const fieldSelector = `involvedObject.kind=VirtualMachineInstance,involvedObject.name=${name}`;
    const { items } = await this.#core.listNamespacedEvent({ namespace, fieldSelector });
    return items
      .filter(({ type, reportingComponent }) => type === 'Warning' && reportingComponent?.startsWith(OURS))
      .map(({ reason = '', message = '' }) => ({ reason, message }));
  }

  async registerNode(name: string, address: string): Promise<void> {
    const metadata = { name, labels: { 'kubernetes.io/hostname': name } };
    const status = { addresses: [{ type: 'InternalIP', address }] };
    const body: V1Node = { apiVersion: 'v1', kind: 'Node', metadata, status };
    await this.#core.createNode({ body }).catch((error: unknown) => {
      if (!isStatus(error, 409)) throw error;
    });
  }

  #watched(): { start(): Promise<void>; stop(): Promise<void> }[] {
    return [this.nodes, this.pods, this.vms, this.vmis, this.vmims];
  }
}

export interface Warning {
  readonly reason: string;
  readonly message: string;
}

interface PodPatch {
  metadata?: { labels?: object; annotations?: object };
  /** Gates can only be taken off. */
  spec?: { schedulingGates: [] };
}

const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const STRATEGIC_MERGE = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
