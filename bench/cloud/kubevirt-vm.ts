import { WorkQueue } from '../../functions/work-queue.ts';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import type { Exchange, HttpRequest, HttpResponse } from '../../handover/kubernetes/http.ts';
import { object } from '../../test/handover/support/moments.ts';

export const NAMESPACE = 'default';
const VIRT = ['apis', 'kubevirt.io', 'v1', 'namespaces', NAMESPACE] as const;
const PODS = ['api', 'v1', 'namespaces', NAMESPACE, 'pods'] as const;
const VMIS = [...VIRT, 'virtualmachineinstances'] as const;
const VMIMS = [...VIRT, 'virtualmachineinstancemigrations'] as const;

/** A request waits here for its turn, where its time does not run yet. */
const requests = new WorkQueue<HttpResponse>(16);
let sent = 0;

interface Created {
  readonly metadata: { readonly name: string; readonly uid: string };
}

/** What KubeVirt writes of one VM in Kubernetes: it runs on worker-a, and migrates to worker-b. */
export class KubevirtVm {
  readonly name: string;
  readonly #exchange: Exchange;
  #vmi!: Created;
  #vmim!: Created;
  /** A VM may come again under its old name; pods and VMIMs never do. */
  #life = 0;

  constructor(exchange: Exchange, name: string) {
    this.#exchange = exchange;
    this.name = name;
  }

  /** Name of the VMIM that is under way. */
  get migration(): string {
    return `${this.name}-${this.#life}`;
  }

  get target(): string {
    return `virt-launcher-${this.name}-${this.#life}-target`;
  }

  get #source(): string {
    return `virt-launcher-${this.name}-${this.#life}-source`;
  }

  async create(): Promise<void> {
    this.#life++;
    this.#vmi = await this.#post(VMIS, object('vmi-01-idle', { metadata: { name: this.name } }));
    await this.#launcher('pod-source-running', { name: this.#source });
  }

  async migrate(): Promise<void> {
    const labels = { 'kubevirt.io/vmi-name': this.name };
    const change = { metadata: { name: this.migration, labels }, spec: { vmiName: this.name } };
    this.#vmim = await this.#post(VMIMS, object('vmim-01-pending', change));
    await this.#phase('Scheduling');
    const target = { name: this.target, labels: { 'kubevirt.io/migrationJobUID': this.#vmim.metadata.uid } };
    await this.#launcher('pod-target-01-created-unscheduled', target, [{ name: PORT_GATE }, { name: DUAL_GATE }]);
  }

  /** The scheduler's and the kubelet's part. */
  async schedule(): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'worker-b' };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: this.target }, target };
    await this.#post([...PODS, this.target, 'binding'], body);
  }

  async copy(): Promise<void> {
    await this.#patch([...PODS, this.target, 'status'], { status: { phase: 'Running' } });
    await this.#phase('Scheduled');
    await this.#vmiStatus({ migrationState: { migrationUid: this.#vmim.metadata.uid } });
    await this.#phase('Running');
  }

  /** The guest runs on worker-b. */
  async switch(): Promise<void> {
    const at = new Date().toISOString();
    const annotations = { 'kubevirt.io/migration-target-ready-timestamp': at };
    await this.#patch([...PODS, this.target], { metadata: { annotations } });
    await this.#vmiStatus({ migrationState: { targetNodeDomainReadyTimestamp: at } });
  }

  async succeed(): Promise<void> {
    await this.#vmiStatus({ nodeName: 'worker-b' });
    await this.#phase('Succeeded');
  }

  /** The VMI goes, and at once all that belongs to it. */
  async delete(): Promise<void> {
    await this.#sent({ method: 'DELETE', path: [...VMIS, this.name] });
    // The garbage collector is at it too, but leaves pods the time that a kubelet takes.
    const gone = [
      [...VMIMS, this.migration],
      [...PODS, this.#source],
      [...PODS, this.target],
    ];
    for (const path of gone) {
      // One that is gone already needs nothing.
      await this.#exchange({ method: 'DELETE', path, query: { gracePeriodSeconds: '0' } });
    }
  }

  get #owner(): object {
    const { uid } = this.#vmi.metadata;
    return { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: this.name, uid, controller: true };
  }

  async #launcher(
    fixture: string,
    { name, labels }: { name: string; labels?: object },
    schedulingGates: object[] = [],
  ): Promise<void> {
    const { uid } = this.#vmi.metadata;
    const metadata = {
      name,
      labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': uid, ...labels },
      annotations: {},
      ownerReferences: [this.#owner],
    };
    await this.#post(PODS, object(fixture, { metadata, spec: { schedulingGates } }));
  }

  async #phase(phase: string): Promise<void> {
    await this.#patch([...VMIMS, this.migration, 'status'], { status: { phase } });
  }

  async #vmiStatus(status: object): Promise<void> {
    await this.#patch([...VMIS, this.name], { status });
  }

  async #post(path: readonly string[], body: object): Promise<Created> {
    return await this.#sent({ method: 'POST', path, body: withoutServerFields(body) });
  }

  async #patch(path: readonly string[], body: object): Promise<void> {
    await this.#sent({ method: 'PATCH', path, body });
  }

  async #sent(request: HttpRequest): Promise<Created> {
    const { result } = await requests.run(`${++sent}`, () => this.#exchange(request));
    if (result.status > 299) throw new Error(`${request.method} ${request.path.join('/')}: HTTP ${result.status}`);
    return JSON.parse(result.content);
  }
}

function withoutServerFields(body: object): object {
  const { metadata, ...rest } = body as { metadata: Record<string, unknown> };
  const { uid, resourceVersion, creationTimestamp, generation, generateName, finalizers, ...kept } = metadata;
  return { ...rest, metadata: { ...kept, namespace: NAMESPACE } };
}
