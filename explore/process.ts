import type { Operation, OperationResult } from 'ovsdb-client-ts';
import { ConnectError, fromWireMap, OutcomeUnknownError } from 'ovsdb-client-ts';
import type { EventFunction } from '../functions/answering.ts';
import { reconcileFunction } from '../functions/reconcile/index.ts';
import { stepFunction } from '../functions/step-function.ts';
import type { FunctionName } from '../handover/decision/desired.ts';
import { profileOf } from '../handover/decision/profile.ts';
import { kubernetesClient } from '../handover/kubernetes/client.ts';
import { Kubernetes } from '../handover/kubernetes/kubernetes.ts';
import type { Log } from '../handover/kubernetes/log.ts';
import type { World } from '../handover/observe.ts';
import { Northbound } from '../handover/ovn/northbound.ts';
import { Southbound } from '../handover/ovn/southbound.ts';
import type { Invariants } from './invariants/invariants.ts';
import { clientOf } from './model/client.ts';
import type { Northbound as NorthboundModel } from './model/northbound.ts';
import { gatesOf, type Pod } from './model/objects.ts';
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
    const work: EventFunction = step === 'reconcile' ? reconcileFunction() : stepFunction(step);
    const world = Promise.resolve(this.#world());
    const log: Log = {
      debug() {},
      info() {},
      warn() {},
      error: (_fields, message) => around.invariants.break(`${name}: ${message}`),
    };
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
      const { told } = this.#around.invariants;
      if (!isDone) told.gaveUp(this, vm);
      if (left === 0) told.answered(this, vm);
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
      kubernetes: new Kubernetes(kubernetesClient((request) => this.#exchange(request))),
      profile: PROFILE,
      activationStrategy: 'rarp',
      sleep: (ms) => this.#sleep(ms),
    };
  }

  #transact(operations: readonly Operation[]): Promise<OperationResult[]> {
    const { northbound, invariants, narrate, onNorthboundChange } = this.#around;
    const isWrite = operations.some(({ op }) => op === 'mutate');
    const sentAt = Date.now();
    if (isWrite) for (const since of sincesIn(operations)) invariants.told.sent(this, since);
    return this.#send({
      server: 'OVN',
      what: isWrite ? () => `NB transact (${commentOf(operations)})` : () => 'NB select',
      carryOut: (isHeard) => {
        const { results, changes } = northbound.transact(operations);
        if (changes.length === 0) return results;
        for (const { port } of changes) {
          const { 'requested-chassis': requested = 'nothing', 'handover-binding': record = 'none' } = port.options;
          const armed = port.options['activation-strategy'] === undefined ? '' : ', armed';
          narrate?.(`${this.name} has bound ${port.name}: ${requested}${armed}, record ${record}${ruleOf(operations)}`);
        }
        invariants.committed(this, changes, { sentAt, isHeard });
        onNorthboundChange();
        return results;
      },
    });
  }

  #exchange(request: HttpRequest): Promise<HttpReply> {
    const { rest, invariants, narrate } = this.#around;
    const { method, path, body } = request;
    const sentAt = Date.now();
    // That a line could not be written undoes nothing: what counts is that it was to be.
    if (path.at(-1) === 'events') {
      const event = body as RecordedEvent;
      invariants.told.recorded(this, event);
      narrate?.(`${this.name} records ${event.reason}: ${event.note}`);
    }
    return this.#send({
      server: 'Kubernetes',
      what: () => `${method} ${path.slice(-2).join('/')}`,
      carryOut: () => {
        rest.onPatch = (pod, patch) => {
          invariants.gates.patched(this.step, pod, patch, sentAt);
          narrate?.(`${this.name} patches ${pod.metadata.uid}: gates ${gatesAfter(pod, patch)}`);
        };
        return rest.serve(request);
      },
    });
  }

  #sleep(ms: number): Promise<void> {
    const { agenda } = this.#around;
    return new Promise((resolve) => {
      agenda.after(ms, () => {
        if (this.isDead) return;
        this.#around.isTouched = true;
        resolve();
      });
    });
  }

  #send<Result>(request: Request<Result>): Promise<Result> {
    return sendOver(this.#around, this, request, (isUnknown) => {
      if (request.server === 'Kubernetes') return new Error('away');
      return isUnknown ? new OutcomeUnknownError('transact', 'no answer') : new ConnectError('away');
    });
  }
}

/** The times in the records that a transaction writes. */
function sincesIn(operations: readonly Operation[]): readonly string[] {
  return operations.flatMap((operation) =>
    operation.op !== 'mutate'
      ? []
      : operation.mutations.flatMap(([, mutator, value]) =>
          mutator === 'insert' ? (fromWireMap(value).get('handover-since') ?? []) : [],
        ),
  );
}

function gatesAfter(pod: Pod, { spec }: Partial<Pod>): string {
  const left = spec?.schedulingGates?.map(({ name }) => name) ?? gatesOf(pod);
  return left.join(', ') || 'none';
}

function ruleOf(operations: readonly Operation[]): string {
  return /, rule \S+$/.exec(commentOf(operations))?.[0] ?? '';
}

function commentOf(operations: readonly Operation[]): string {
  return operations.flatMap((operation) => (operation.op === 'comment' ? operation.comment : [])).join();
}
