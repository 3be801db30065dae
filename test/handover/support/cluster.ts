import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from '@kubernetes/client-node';
import type { VirtualMachineInstance, VirtualMachineInstanceMigration } from '../../../handover/decision/kubevirt.ts';
import { startKubernetesApi } from '../../../lab/kubernetes-api/server.ts';
import { object, VMI } from './moments.ts';

const KUBEVIRT = { group: 'kubevirt.io', version: 'v1', namespace: VMI.namespace };
const VMIS = { ...KUBEVIRT, plural: 'virtualmachineinstances' };
const VMIMS = { ...KUBEVIRT, plural: 'virtualmachineinstancemigrations' };
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** An API server with the VM `prod/web-01`, running on worker-a, and what KubeVirt writes when it migrates. */
export class Cluster implements AsyncDisposable {
  readonly config: KubeConfig;
  readonly kubeconfig: string;
  readonly core: CoreV1Api;
  readonly #custom: CustomObjectsApi;
  readonly #close: () => Promise<void>;
  vmi!: VirtualMachineInstance;

  private constructor(kubeconfig: string, close: () => Promise<void>) {
    this.kubeconfig = kubeconfig;
    this.config = new KubeConfig();
    this.config.loadFromString(kubeconfig);
    this.core = this.config.makeApiClient(CoreV1Api);
    this.#custom = this.config.makeApiClient(CustomObjectsApi);
    this.#close = close;
  }

  static async start(options?: Parameters<typeof startKubernetesApi>[0]): Promise<Cluster> {
    const api = await startKubernetesApi(options);
    return await Cluster.of(api.kubeconfig, () => api.close());
  }

  /** The same in an API server that runs elsewhere; `close` ends it. */
  static async of(kubeconfig: string, close: () => Promise<void>): Promise<Cluster> {
    const cluster = new Cluster(kubeconfig, close);
    await cluster.core.createNamespace({ body: { metadata: { name: VMI.namespace } } });
    return cluster;
  }

  /** A VMI, with its launcher pod on its node. */
  async createVm(name = VMI.name, annotations?: Record<string, string>): Promise<VirtualMachineInstance> {
    const body = withoutServerFields(
      object('vmi-01-idle', { metadata: { name, ...(annotations && { annotations }) } }),
    );
    this.vmi = await this.#custom.createNamespacedCustomObject({ ...VMIS, body });
    await this.#launcher('pod-source-running', {
      name: `virt-launcher-${name}-source`,
      annotations: { 'ovn.kubernetes.io/ip_address': '192.168.50.10' },
    });
    return this.vmi;
  }

  async deletePod(name: string): Promise<void> {
    await this.core.deleteNamespacedPod({ namespace: VMI.namespace, name, body: { gracePeriodSeconds: 0 } });
  }

  async deleteVm(): Promise<void> {
    await this.#custom.deleteNamespacedCustomObject({ ...VMIS, name: this.vmi.metadata.name });
  }

  async migrate(name: string): Promise<Migration> {
    const body = withoutServerFields(
      object('vmim-01-pending', {
        metadata: { name, labels: { 'kubevirt.io/vmi-name': this.vmi.metadata.name }, finalizers: undefined },
        spec: { vmiName: this.vmi.metadata.name },
      }),
    );
    return new Migration(this, await this.#custom.createNamespacedCustomObject({ ...VMIMS, body }));
  }

  async createTarget(migration: VirtualMachineInstanceMigration, gates: readonly string[]): Promise<V1Pod> {
    return await this.#launcher(
      'pod-target-01-created-unscheduled',
      {
        name: `virt-launcher-${this.vmi.metadata.name}-${migration.metadata.name}`,
        annotations: {},
        labels: { 'kubevirt.io/migrationJobUID': migration.metadata.uid },
      },
      gates.map((name) => ({ name })),
    );
  }

  async patchVmi(status: object): Promise<void> {
    const { name } = this.vmi.metadata;
    this.vmi = await this.#custom.patchNamespacedCustomObject({ ...VMIS, name, body: { status } }, MERGE);
  }

  async patchVmim(name: string, status: object): Promise<void> {
    await this.#custom.patchNamespacedCustomObjectStatus({ ...VMIMS, name, body: { status } }, MERGE);
  }

  async patchPod(name: string, { status, ...body }: { metadata?: object; status?: object }): Promise<void> {
    const at = { namespace: VMI.namespace, name };
    if (status) await this.core.patchNamespacedPodStatus({ ...at, body: { status } }, MERGE);
    if (body.metadata) await this.core.patchNamespacedPod({ ...at, body }, MERGE);
  }

  /** As the kubelet does: all containers have ended now. */
  async endPod(name: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    await this.patchPod(name, {
      status: {
        phase,
        conditions: [{ type: 'Ready', status: 'False', reason: `Pod${phase}`, lastTransitionTime: now }],
        containerStatuses: [{ name: 'compute', state: { terminated: { exitCode: 0, finishedAt: now } } }],
      },
    });
  }

  async bind(pod: string, node: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const { namespace } = VMI;
    await this.core.createNamespacedPodBinding({ name: pod, namespace, body: { metadata: { name: pod }, target } });
  }

  pod(name: string): Promise<V1Pod> {
    return this.core.readNamespacedPod({ namespace: VMI.namespace, name });
  }

  /** What `kubectl describe vmi` shows. */
  async events(): Promise<readonly { type: string; reason: string; message: string; by: string }[]> {
    const { items } = await this.core.listNamespacedEvent({ namespace: VMI.namespace });
    return items
      .filter(({ involvedObject }) => involvedObject.uid === this.vmi.metadata.uid)
      .map(({ type, reason, message, reportingComponent }) => ({
        type: type!,
        reason: reason!,
        message: message!,
        by: reportingComponent!.replace('ovn-handover.dev/', ''),
      }));
  }

  async #launcher(
    fixture: string,
    metadata: { name: string; labels?: Record<string, string>; annotations: Record<string, string> },
    schedulingGates: { name: string }[] = [],
  ): Promise<V1Pod> {
    const { name, uid } = this.vmi.metadata;
    const body = withoutServerFields(
      object(fixture, {
        metadata: {
          ...metadata,
          labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': uid, ...metadata.labels },
          ownerReferences: [
            { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, uid, controller: true },
          ],
        },
        spec: { schedulingGates },
      }),
    );
    return await this.core.createNamespacedPod({ namespace: VMI.namespace, body: body as unknown as V1Pod });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** One migration from worker-a, as KubeVirt takes it on; each method is one moment of it. */
export class Migration {
  readonly #cluster: Cluster;
  readonly vmim: VirtualMachineInstanceMigration;
  target = '';

  constructor(cluster: Cluster, vmim: VirtualMachineInstanceMigration) {
    this.#cluster = cluster;
    this.vmim = vmim;
  }

  /** @param gates those of our policy, and of whoever else holds the pod back */
  async createTarget(gates: readonly string[]): Promise<void> {
    const pod = await this.#cluster.createTarget(this.vmim, gates);
    this.target = pod.metadata!.name!;
    await this.#phase('Scheduling');
  }

  async schedule(node: string): Promise<void> {
    await this.#cluster.bind(this.target, node);
    await this.#cluster.patchPod(this.target, { status: { phase: 'Running' } });
  }

  async handOff(): Promise<void> {
    await this.#phase('Scheduled');
    await this.#cluster.patchVmi({ migrationState: { migrationUid: this.vmim.metadata.uid } });
    await this.#phase('Running');
  }

  /** The guest runs on the target. */
  async switch(): Promise<void> {
    const targetNodeDomainReadyTimestamp = new Date().toISOString();
    await this.#cluster.patchVmi({ migrationState: { targetNodeDomainReadyTimestamp } });
    await this.#cluster.patchPod(this.target, {
      metadata: { annotations: { 'kubevirt.io/migration-target-ready-timestamp': targetNodeDomainReadyTimestamp } },
    });
  }

  async succeed(node: string): Promise<void> {
    await this.#cluster.patchVmi({ nodeName: node });
    await this.#phase('Succeeded');
  }

  /** The guest stays where it is: the target pod fails first, then the VMIM. */
  async fail(): Promise<void> {
    await this.#cluster.endPod(this.target, 'Failed');
    await this.#phase('Failed');
  }

  #phase(phase: string): Promise<void> {
    return this.#cluster.patchVmim(this.vmim.metadata.name, { phase });
  }
}

function withoutServerFields(object: object): Record<string, unknown> {
  const { metadata, ...rest } = object as { metadata: Record<string, unknown> };
  const { uid, resourceVersion, creationTimestamp, generation, generateName, finalizers, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
