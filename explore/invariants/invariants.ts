import type { Port, RowChange } from '../model/northbound.ts';
import type { Southbound } from '../model/southbound.ts';
import type { Vm } from '../model/vm.ts';
import { CommitInvariants } from './commits.ts';
import { GateInvariants } from './gates.ts';
import { ToldInvariants } from './told.ts';
import { acceptable, dualAt, isOurKey, isRecorded, requestedOf, toldNode } from './truth.ts';

/**
 * What was overtaken by a switch, an end or a neighbour is put right within this, of what was heard of it: the latest event
 * (30 s), a cold start, and a broker that comes again after faults.
 */
const MAX_WRONG_MS = 90_000;
/** A chassis that has missed its claim is asked again within this time, also where a call was killed, and comes again. */
const MAX_UNCLAIMED_MS = 30_000;

/** What must hold whatever happens, by the model's own knowledge. The first invariant that is broken ends the schedule. */
export class Invariants {
  broken: string | undefined;
  readonly commits: CommitInvariants;
  readonly gates: GateInvariants;
  readonly told: ToldInvariants;
  /** VMs of which nobody may have heard all that is so, and since when: only a sweep puts that right. */
  readonly unheard = new Map<Vm, number>();
  /** VMs of which something was written that makes no event. */
  readonly silent = new Set<Vm>();
  /** When something last held up a request or an event. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  readonly #vms: readonly Vm[];
  readonly #southbound: Southbound;
  /** Since when the ports of a VM are bound by what has been overtaken, or closed where its guest runs. */
  readonly #wrongSince = new Map<Vm, number>();

  constructor(vms: readonly Vm[], southbound: Southbound) {
    const onBroken = (what: string) => this.break(what);
    this.#vms = vms;
    this.#southbound = southbound;
    this.commits = new CommitInvariants(vms, southbound, onBroken);
    this.gates = new GateInvariants(vms, southbound, this.commits, onBroken);
    this.told = new ToldInvariants(vms, onBroken);
  }

  break(what: string): void {
    this.broken ??= what;
  }

  /** A function's transaction has changed rows. */
  committed(
    by: object,
    changes: readonly RowChange[],
    request: { readonly sentAt: number; readonly isHeard: boolean },
  ): void {
    this.commits.committed(by, changes, request.sentAt);
    const vm = this.commits.vmOf(changes[0]!.port);
    if (vm === undefined) return;
    this.told.committed(by, vm, changes, request);
    // OVN took it up when whoever sent it had looked again: nothing shows any more what went meanwhile.
    if (!request.isHeard) this.excuse(vm);
    this.observe();
  }

  /** A neighbour has written a row. @returns whether it was ours that was changed */
  neighbourWrote(vm: Vm, port: Port, before: Port['options']): boolean {
    const isOurs = this.commits.neighbourWrote(port, before);
    // Of what is written to OVN nobody hears but by chance.
    if (isOurs) {
      this.excuse(vm);
      this.disturbedAt = Date.now();
    }
    return isOurs;
  }

  excuse(vm: Vm): void {
    this.unheard.set(vm, Date.now());
  }

  /** `reconcile` has looked at a VM from `startedAt` on, and says that all is done: then it is, unless it changed meanwhile. */
  reconciled(by: object, vm: Vm, startedAt: number): void {
    const isSame = vm.now.from < startedAt && !this.commits.othersWroteSince(by, vm, startedAt);
    if (!isSame || this.commits.lost.size > 0) return;
    for (const port of vm.ports) {
      // A record that a neighbour has left without its binding does no harm until the next sweep.
      if (requestedOf(port) === '' && !this.commits.isAsWritten(port)) continue;
      const wrong = this.#wrong(vm, port, startedAt);
      if (wrong) this.break(`${port.name} ${wrong}, though reconcile has just looked`);
    }
    if ((this.unheard.get(vm) ?? 0) < startedAt) this.unheard.delete(vm);
  }

  /** The guest has switched: if nothing was held up since its target was let go, the network has been ready. */
  switched(vm: Vm): void {
    const openedAt = this.gates.openedAt.get(vm.migration?.pod ?? '');
    const { node, migration } = vm.now;
    if (openedAt === undefined || openedAt <= this.disturbedAt || !migration || this.unheard.has(vm)) return;
    if (
      vm.since(openedAt).some(({ optedIn, migration: one }) => !optedIn || one?.deleting || one?.uid !== migration.uid)
    )
      return;
    const both = [node, migration.target].map((one) => one && this.#southbound.chassisOf(one)).join(',');
    const late = vm.ports.find((port) => requestedOf(port) !== both);
    if (late)
      this.break(
        `${late.name} was bound to ${requestedOf(late) || 'nothing'} when ${vm.name} switched, though nothing was late`,
      );
  }

  /**
   * When nothing is under way any more.
   * @param swept whether `reconcile` has just run; before that, only VMs of which every event was heard are right
   */
  atRest(swept: boolean): void {
    const when = swept ? 'after a sweep' : 'though every event was heard';
    if (this.commits.lost.size > 0) return;
    for (const vm of this.#vms) {
      if (!swept && this.#isExcused(vm)) continue;
      for (const port of vm.ports) {
        if (this.#isClosed(vm, port)) this.break(`${port.name} is closed where ${vm.name} runs, ${when}`);
        // That a pod has ended, and the minute after, make no event.
        if (!swept && vm.now.migration === undefined && requestedOf(port) === this.#chassisOfGuest(vm)) continue;
        const wrong = this.#wrong(vm, port);
        if (wrong) this.break(`${port.name} ${wrong}, ${when}`);
      }
      for (const pod of this.gates.waiting(vm)) this.break(`target pod ${pod.metadata.uid} waits for ever, ${when}`);
    }
  }

  /** To be called whenever something has changed. */
  observe(): void {
    for (const vm of this.#vms) {
      if (this.#isExcused(vm) || this.commits.lost.size > 0) {
        this.#wrongSince.delete(vm);
        continue;
      }
      const missed = vm.ports.find((port) => this.#isLeftUnclaimed(port));
      if (missed) this.break(`the chassis of ${missed.name} missed its claim, and nobody has asked it again`);
      const since = this.#wrongSince.get(vm);
      if (since !== undefined && Date.now() - since > MAX_WRONG_MS) {
        this.break(`the ports of ${vm.name} were wrong or closed for more than ${MAX_WRONG_MS / 1_000} s`);
      }
      if (!vm.ports.some((port) => this.#isOvertaken(vm, port) || this.#isClosed(vm, port)))
        this.#wrongSince.delete(vm);
      else if (since === undefined) this.#wrongSince.set(vm, Date.now());
    }
  }

  #isExcused(vm: Vm): boolean {
    // A VMI that has ended keeps its port until it is deleted, or a sweep comes.
    const isFailed = vm.vmi !== undefined && vm.now.uid === undefined;
    return isFailed || this.unheard.has(vm) || this.silent.has(vm);
  }

  #isLeftUnclaimed(port: Port): boolean {
    const { missedAt = Number.POSITIVE_INFINITY } = this.#southbound.bindingOf(port);
    return isRecorded(port) && Date.now() - missedAt > MAX_UNCLAIMED_MS;
  }

  #chassisOfGuest(vm: Vm): string | undefined {
    return vm.guest && this.#southbound.chassisOf(vm.guest);
  }

  /** Bound, by us, for a migration before its switch that is none any more, or to where the guest no longer runs. */
  #isOvertaken(vm: Vm, port: Port): boolean {
    const requested = requestedOf(port);
    if (requested === '' || !isRecorded(port)) return false;
    const { migration } = vm.now;
    // KubeVirt takes its time to say that such a migration has failed, or that it has succeeded all the same.
    const isEnding = migration?.deleting || migration?.targetEnded || migration?.sourceEnded;
    if (requested.includes(',')) return dualAt(vm.now, this.#southbound) !== requested && !isEnding;
    return this.#chassisOfGuest(vm) !== requested;
  }

  /** The guest cannot be reached where it runs, although Kubernetes says that it runs there. */
  #isClosed(vm: Vm, port: Port): boolean {
    const { guest } = vm;
    if (guest === undefined || toldNode(vm.now) !== guest || !isRecorded(port)) return false;
    return !this.#southbound.isOpen(port, guest);
  }

  #wrong(vm: Vm, port: Port, lookedAt?: number): string | undefined {
    const bindings = acceptable(vm, port, this.#southbound, lookedAt);
    if (bindings === undefined) return undefined;
    const requested = requestedOf(port);
    const isArmed = port.options['activation-strategy'] !== undefined;
    const isDual = requested.includes(',');
    const ours = Object.keys(port.options).filter(isOurKey);
    if (!bindings.includes(requested))
      return `is bound to ${requested || 'nothing'}, not to ${bindings.map((one) => one || 'nothing').join(' or ')}`;
    if (requested === '' && ours.length > 0) return `still has ${ours.join(', ')}`;
    if (isArmed && !isDual) return `is bound to ${requested}, and armed`;
    if (isDual && !isArmed && !vm.now.migration?.copying) return `is open on ${requested} before memory is copied`;
    return undefined;
  }
}
