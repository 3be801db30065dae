import { CoreV1Api, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import type { VirtualMachineInstance } from '../handover/decision/kubevirt.ts';
import { type Exchange, httpsExchange } from '../handover/kubernetes/http.ts';
import { startKubernetesApi } from '../lab/kubernetes-api/server.ts';
import { KubevirtVm, type Migration } from './kubevirt-vm.ts';
import { VMI } from './moments.ts';

/** An API server with VMs in the namespace `prod`; what is said of a VM is said of the one that was created last. */
export class Cluster implements AsyncDisposable {
  readonly config: KubeConfig;
  readonly kubeconfig: string;
  readonly core: CoreV1Api;
  readonly #exchange: Exchange;
  readonly #close: () => Promise<void>;
  vm!: KubevirtVm;

  private constructor(kubeconfig: string, close: () => Promise<void>) {
    this.kubeconfig = kubeconfig;
    this.config = new KubeConfig();
    this.config.loadFromString(kubeconfig);
    this.core = this.config.makeApiClient(CoreV1Api);
    this.#exchange = httpsExchange('testkit', this.config);
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

  get vmi(): VirtualMachineInstance {
    return this.vm.vmi;
  }

  /** A VMI, with its launcher pod on its node. */
  async createVm(name = VMI.name, annotations?: Record<string, string>): Promise<VirtualMachineInstance> {
    this.vm = new KubevirtVm(this.#exchange, { ...VMI, name });
    await this.vm.create(`virt-launcher-${name}-source`, annotations);
    return this.vmi;
  }

  async deletePod(name: string): Promise<void> {
    await this.vm.deleteNow('pods', name);
  }

  async deleteVm(): Promise<void> {
    await this.vm.delete();
  }

  async migrate(name: string): Promise<Migration> {
    return await this.vm.migrate(name);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
