import { WorkQueue } from '../../functions/work-queue.ts';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import type { Exchange, HttpResponse } from '../../handover/kubernetes/http.ts';
import { KubevirtVm, type Migration } from '../../testkit/kubevirt-vm.ts';

export const NAMESPACE = 'default';

/** A request waits here for its turn, where its time does not run yet. */
const requests = new WorkQueue<HttpResponse>(16);
let sent = 0;

/** One VM of many, which migrates to worker-b; it may come again under its old name, and pods and VMIMs never do. */
export class CloudVm {
  readonly #vm: KubevirtVm;
  #migration!: Migration;
  #life = 0;

  constructor(exchange: Exchange, name: string) {
    const inTurn: Exchange = async (request) => (await requests.run(`${++sent}`, () => exchange(request))).result;
    this.#vm = new KubevirtVm(inTurn, { namespace: NAMESPACE, name });
  }

  get name(): string {
    return this.#vm.name;
  }

  /** Name of the VMIM that is under way. */
  get migration(): string {
    return `${this.name}-${this.#life}`;
  }

  get target(): string {
    return this.#migration.target;
  }

  async create(): Promise<void> {
    this.#life++;
    await this.#vm.create(this.#source);
  }

  async migrate(): Promise<void> {
    this.#migration = await this.#vm.migrate(this.migration);
    await this.#migration.createTarget([PORT_GATE, DUAL_GATE]);
  }

  /** The scheduler's part; the kubelet's comes with the copy. */
  async schedule(): Promise<void> {
    await this.#vm.bind(this.target, 'worker-b');
  }

  async copy(): Promise<void> {
    await this.#vm.patchPod(this.target, { status: { phase: 'Running' } });
    await this.#migration.handOff();
  }

  async switch(): Promise<void> {
    await this.#migration.switch();
  }

  async succeed(): Promise<void> {
    await this.#migration.succeed('worker-b');
  }

  /** The VMI goes, and at once all that belongs to it: the garbage collector leaves pods the time that a kubelet takes. */
  async delete(): Promise<void> {
    await this.#vm.delete();
    await this.#vm.deleteNow('virtualmachineinstancemigrations', this.migration);
    for (const pod of [this.#source, this.target]) await this.#vm.deleteNow('pods', pod);
  }

  get #source(): string {
    return `virt-launcher-${this.name}-${this.#life}-source`;
  }
}
