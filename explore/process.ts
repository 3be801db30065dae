import type { Operation, OvsdbClient } from 'ovsdb-client-ts';
import { ConnectError, OutcomeUnknownError } from 'ovsdb-client-ts';
import type { EventFunction, Log } from '../functions/answering.ts';
import reconcile from '../functions/reconcile/index.ts';
import { stepFunction } from '../functions/step-function.ts';
import type { FunctionName } from '../handover/decision/desired.ts';
import { TryAgainError } from '../handover/decision/errors.ts';
import type { World } from '../handover/reconcile.ts';
import { Kubernetes, type KubernetesApi } from '../handover/kubernetes/kubernetes.ts';
import { Northbound } from '../handover/ovn/northbound.ts';
import { profileOf } from '../handover/decision/profile.ts';
import { Southbound } from '../handover/ovn/southbound.ts';
import type { Invariants } from './invariants/invariants.ts';
import type { Northbound as NorthboundModel } from './model/northbound.ts';
import type { HttpReply, HttpRequest, RecordedEvent, RestApi } from './model/rest.ts';
import type { Southbound as SouthboundModel } from './model/southbound.ts';
import type { Vm } from './model/vm.ts';
import { type Network, type Request, sendOver } from './network.ts';

const PROFILE = profileOf('kube-ovn', '');

export interface Surroundings extends Network {
  readonly northbound: NorthboundModel;
  readonly southbound: SouthboundModel;
  readonly rest: RestApi;
  readonly invariants: Invariants;
  readonly onNorthboundChange: () => void;
}

/** One process of one function: the project's own code, and requests that the schedule carries out. */
export class Process {
  readonly name: string;
  readonly step: FunctionName;
  readonly answer: (event: unknown) => Promise<{ readonly statusCode: number; readonly body: string }>;
  isDead = false;
  /** Called when it dies. */
  readonly onDeath = new Set<() => void>();
  /** When an event came last: without any it is scaled to zero. */
  usedAt = 0;
  /** When it has started and can take its first event. */
  readonly startedAt: number;
  readonly #around: Surroundings;
  /** Events that it is working on, by VM. */
  readonly #calls = new Map<Vm, number>();

  constructor(step: FunctionName, name: string, startedAt: number, around: Surroundings) {
    this.name = name;
    this.step = step;
    this.startedAt = startedAt;
    this.#around = around;
    const work: EventFunction = step === 'reconcile' ? reconcile : stepFunction(step);
    const world = Promise.resolve(this.#world());
    const log: Log = { info() {}, warn() {}, error: (message) => around.invariants.break(`${name}: ${message}`) };
    this.answer = (event) => work(event, world, log);
  }

  /** It begins to work for VMs. */
  enter(vms: readonly Vm[]): void {
    for (const vm of vms) this.#calls.set(vm, (this.#calls.get(vm) ?? 0) + 1);
  }

  /** It has answered. What it has done for a VM is told by now, unless it is still at it for another event. */
  leave(vms: readonly Vm[], isDone: boolean): void {
    for (const vm of vms) {
      const left = this.#calls.get(vm)! - 1;
      this.#calls.set(vm, left);
      if (left === 0) this.#around.invariants.told.answered(this, vm, isDone);
    }
  }

  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#around.invariants.told.died(this);
    for (const act of this.onDeath) act();
  }

  #world(): World {
    const { southbound } = this.#around;
    return {
      northbound: new Northbound(
        clientOf((operations) => this.#transact(operations)),
        PROFILE,
      ),
      southbound: new Southbound(
        clientOf((operations) =>
          this.#send({ server: 'OVN', what: () => 'SB select', carryOut: () => southbound.transact(operations) }),
        ),
      ),
      kubernetes: new Kubernetes(kubernetesOver((request) => this.#exchange(request))),
      profile: PROFILE,
      activationStrategy: 'rarp',
    };
  }

  #transact(operations: readonly Operation[]): Promise<unknown> {
    const { northbound, invariants, narrate, onNorthboundChange } = this.#around;
    const isWrite = operations.some(({ op }) => op === 'mutate');
    const sentAt = Date.now();
    return this.#send({
      server: 'OVN',
      what: isWrite ? () => `NB transact (${commentOf(operations)})` : () => 'NB select',
      carryOut: (isHeard) => {
        const { results, changes } = northbound.transact(operations);
        if (changes.length === 0) return results;
        for (const { port } of changes) {
          const { 'requested-chassis': requested = 'nothing', 'handover-binding': record = 'none' } = port.options;
          narrate?.(`${this.name} has bound ${port.name}: ${requested}, record ${record}`);
        }
        invariants.committed(this, changes, { sentAt, isHeard });
        onNorthboundChange();
        return results;
      },
    });
  }

  #exchange(request: HttpRequest): Promise<HttpReply> {
    const { rest, invariants } = this.#around;
    const { method, path, body } = request;
    // That a line could not be written undoes nothing: what counts is that it was to be.
    if (path.at(-1) === 'events') invariants.told.recorded(this, body as RecordedEvent);
    return this.#send({
      server: 'Kubernetes',
      what: () => `${method} ${path.slice(-2).join('/')}`,
      carryOut: () => {
        rest.onPatch = (pod, patch) => invariants.gates.patched(this.step, pod, patch);
        return rest.serve(request);
      },
    });
  }

  #send<Result>(request: Request<Result>): Promise<Result> {
    return sendOver(this.#around, this, request, (isUnknown) => {
      if (request.server === 'Kubernetes') return new TryAgainError(`Kubernetes API: ${request.what()}: away`);
      return isUnknown ? new OutcomeUnknownError('transact', 'no answer') : new ConnectError('away');
    });
  }
}

function clientOf(transact: (operations: readonly Operation[]) => Promise<unknown>): OvsdbClient {
  return { transact } as unknown as OvsdbClient;
}

function commentOf(operations: readonly Operation[]): string {
  return operations.flatMap((operation) => (operation.op === 'comment' ? operation.comment : [])).join();
}

/** The functions' own client for the Kubernetes API. */
function kubernetesOver(exchange: (request: HttpRequest) => Promise<HttpReply>): KubernetesApi {
  const KUBEVIRT = ['apis', 'kubevirt.io', 'v1'];
  const get = async (path: readonly string[], query: Record<string, string> = {}) => {
    const { status, content } = await exchange({ method: 'GET', path, query });
    if (status === 404) return undefined;
    return JSON.parse(content);
  };
  return {
    async listMigrations(vmi) {
      const name = 'virtualmachineinstancemigrations';
      const found = vmi
        ? await get([...KUBEVIRT, 'namespaces', vmi.namespace, name], {
            labelSelector: `kubevirt.io/vmi-name=${vmi.name}`,
          })
        : await get([...KUBEVIRT, name]);
      return found?.items ?? [];
    },
    getVmi: ({ namespace, name }) => get([...KUBEVIRT, 'namespaces', namespace, 'virtualmachineinstances', name]),
    async listLauncherPods(namespace, uid) {
      const labelSelector = `kubevirt.io=virt-launcher,kubevirt.io/created-by=${uid}`;
      return (await get(['api', 'v1', 'namespaces', namespace, 'pods'], { labelSelector })).items;
    },
    async patchPod({ metadata: { namespace, name } }, body) {
      const path = ['api', 'v1', 'namespaces', namespace, 'pods', name];
      const { status } = await exchange({ method: 'PATCH', path, query: {}, body });
      return status === 404 ? 'gone' : status === 409 ? 'conflict' : 'patched';
    },
    async createEvent({ namespace, name, uid }, _component, line) {
      const path = ['api', 'v1', 'namespaces', namespace, 'events'];
      const body = { metadata: {}, involvedObject: { name, uid }, ...line };
      await exchange({ method: 'POST', path, query: {}, body });
    },
  };
}
