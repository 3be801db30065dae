import type { Pod, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../handover/decision/kubevirt.ts';
import type { Exchange, HttpRequest } from '../handover/kubernetes/http.ts';
import { object } from './moments.ts';

interface PodPatch {
  readonly metadata?: object;
  readonly status?: object;
}

/** What KubeVirt, the scheduler and the kubelet write of one VM in Kubernetes: it runs on worker-a. */
export class KubevirtVm {
  readonly name: string;
  readonly namespace: string;
  readonly #exchange: Exchange;
  vmi!: VirtualMachineInstance;

  constructor(exchange: Exchange, { namespace, name }: { namespace: string; name: string }) {
    this.#exchange = exchange;
    this.namespace = namespace;
    this.name = name;
  }

  /** The VMI, with its launcher pod on its node. */
  async create(source: string, annotations?: Record<string, string>): Promise<void> {
    const metadata = { name: this.name, ...(annotations && { annotations }) };
    this.vmi = await this.#post(this.#path('virtualmachineinstances'), object('vmi-01-idle', { metadata }));
    await this.createLauncher('pod-source-running', {
      name: source,
      annotations: { 'ovn.kubernetes.io/ip_address': '192.168.50.10' },
    });
  }

  async migrate(name: string): Promise<Migration> {
    const metadata = { name, labels: { 'kubevirt.io/vmi-name': this.name } };
    const body = object('vmim-01-pending', { metadata, spec: { vmiName: this.name } });
    return new Migration(this, await this.#post(this.#path('virtualmachineinstancemigrations'), body));
  }

  async patch(status: object): Promise<void> {
    this.vmi = await this.#patch(this.#path('virtualmachineinstances', this.name), { status });
  }

  async patchMigration(name: string, status: object): Promise<void> {
    await this.#patch(this.#path('virtualmachineinstancemigrations', name, 'status'), { status });
  }

  async delete(): Promise<void> {
    await this.#sent({ method: 'DELETE', path: this.#path('virtualmachineinstances', this.name) });
  }

  async createLauncher(
    moment: string,
    metadata: { name: string; labels?: Record<string, string>; annotations: Record<string, string> },
    gates: readonly string[] = [],
  ): Promise<Pod> {
    const { name, uid } = this.vmi.metadata;
    const body = object(moment, {
      metadata: {
        ...metadata,
        labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': uid, ...metadata.labels },
        ownerReferences: [
          { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, uid, controller: true },
        ],
      },
      spec: { schedulingGates: gates.map((gate) => ({ name: gate })) },
    });
    return this.#post(this.#path('pods'), body);
  }

  /** Puts a pod on a node. */
  async bind(pod: string, node: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod }, target };
    await this.#sent({ method: 'POST', path: this.#path('pods', pod, 'binding'), body });
  }

  async patchPod(name: string, { metadata, status }: PodPatch): Promise<void> {
    if (status) await this.#patch(this.#path('pods', name, 'status'), { status });
    if (metadata) await this.#patch(this.#path('pods', name), { metadata });
  }

  /** As the kubelet does: all containers have ended now. */
  async endPod(name: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const conditions = [{ type: 'Ready', status: 'False', reason: `Pod${phase}`, lastTransitionTime: now }];
    const containerStatuses = [{ name: 'compute', state: { terminated: { exitCode: 0, finishedAt: now } } }];
    await this.patchPod(name, { status: { phase, conditions, containerStatuses } });
  }

  /** At once, as only the kubelet may; what is gone already needs nothing. */
  async deleteNow(plural: 'pods' | 'virtualmachineinstancemigrations', name: string): Promise<void> {
    await this.#exchange({ method: 'DELETE', path: this.#path(plural, name), query: { gracePeriodSeconds: '0' } });
  }

  #path(plural: string, ...rest: readonly string[]): string[] {
    const api = plural === 'pods' ? ['api', 'v1'] : ['apis', 'kubevirt.io', 'v1'];
    return [...api, 'namespaces', this.namespace, plural, ...rest];
  }

  #post<T>(path: readonly string[], body: object): Promise<T> {
    return this.#sent({ method: 'POST', path, body: { ...body, metadata: this.#asSent(body) } });
  }

  #patch<T>(path: readonly string[], body: object): Promise<T> {
    return this.#sent({ method: 'PATCH', path, body });
  }

  async #sent<T>(request: HttpRequest): Promise<T> {
    const { status, content } = await this.#exchange(request);
    if (status > 299) throw new Error(`${request.method} ${request.path.join('/')}: HTTP ${status} ${content}`);
    return JSON.parse(content);
  }

  /** Metadata without what only the server sets. */
  #asSent(body: object): object {
    const { metadata } = body as { metadata: Record<string, unknown> };
    const { uid, resourceVersion, creationTimestamp, generation, generateName, finalizers, ...kept } = metadata;
    return { ...kept, namespace: this.namespace };
  }
}

/** One migration from worker-a, as KubeVirt takes it on; each method is one moment of it. */
export class Migration {
  readonly #vm: KubevirtVm;
  readonly vmim: VirtualMachineInstanceMigration;
  target = '';

  constructor(vm: KubevirtVm, vmim: VirtualMachineInstanceMigration) {
    this.#vm = vm;
    this.vmim = vmim;
  }

  /** @param gates those of our policy, and of whoever else holds the pod back */
  async createTarget(gates: readonly string[]): Promise<void> {
    const { name, uid } = this.vmim.metadata;
    this.target = `virt-launcher-${this.#vm.name}-${name}`;
    const labels = { 'kubevirt.io/migrationJobUID': uid };
    const metadata = { name: this.target, labels, annotations: {} };
    await this.#vm.createLauncher('pod-target-01-created-unscheduled', metadata, gates);
    await this.phase('Scheduling');
  }

  async schedule(node: string): Promise<void> {
    await this.#vm.bind(this.target, node);
    await this.#vm.patchPod(this.target, { status: { phase: 'Running' } });
  }

  async handOff(): Promise<void> {
    await this.phase('Scheduled');
    await this.#vm.patch({ migrationState: { migrationUid: this.vmim.metadata.uid } });
    await this.phase('Running');
  }

  /** The guest runs on the target. */
  async switch(): Promise<void> {
    const targetNodeDomainReadyTimestamp = new Date().toISOString();
    const annotations = { 'kubevirt.io/migration-target-ready-timestamp': targetNodeDomainReadyTimestamp };
    await this.#vm.patch({ migrationState: { targetNodeDomainReadyTimestamp } });
    await this.#vm.patchPod(this.target, { metadata: { annotations } });
  }

  async succeed(node: string): Promise<void> {
    await this.#vm.patch({ nodeName: node });
    await this.phase('Succeeded');
  }

  /** The guest stays where it is: the target pod fails first, then the VMIM. */
  async fail(): Promise<void> {
    await this.#vm.endPod(this.target, 'Failed');
    await this.phase('Failed');
  }

  async phase(phase: string): Promise<void> {
    await this.#vm.patchMigration(this.vmim.metadata.name, { phase });
  }
}
