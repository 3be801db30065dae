import type { Port, RowChange } from '../model/northbound.ts';
import type { RecordedEvent } from '../model/rest.ts';
import type { Vm } from '../model/vm.ts';
import { REQUEST_TIMEOUT_MS } from '../network.ts';
import { MAX_FACTS_AGE_MS, requestedOf } from './truth.ts';

interface Commit {
  readonly by: object;
  readonly vm: Vm;
  readonly vmi: string | undefined;
  readonly port: Port;
  readonly binding: string;
  /** Whoever committed was told so. */
  readonly isHeard: boolean;
  /** Of the row after it. */
  readonly version: number;
}

/** Every change that is committed becomes a Kubernetes Event on its VMI, and no other does. */
export class ToldInvariants {
  #untold: Commit[] = [];
  /** What nobody is bound to tell any more. Another call of the process may have made it, and tell it all the same. */
  readonly #givenUp: Commit[] = [];
  /** What was told in the calls that are not answered yet: the same line again counts as the one before. */
  #told: Commit[] = [];
  /** Times by which functions recognise their own commits, of all that were made: two in the same ms look the same. */
  readonly #made: { readonly by: object; readonly port: Port; readonly since: string }[] = [];
  readonly #sent = new WeakMap<object, Set<string>>();
  readonly #vms: readonly Vm[];
  readonly #break: (what: string) => void;

  constructor(vms: readonly Vm[], onBroken: (what: string) => void) {
    this.#vms = vms;
    this.#break = onBroken;
  }

  /** A process sends a transaction whose record has this time. */
  sent(by: object, since: string): void {
    this.#sent.set(by, (this.#sent.get(by) ?? new Set()).add(since));
  }

  committed(
    by: object,
    vm: Vm,
    changes: readonly RowChange[],
    { sentAt, isHeard }: { readonly sentAt: number; readonly isHeard: boolean },
  ): void {
    // Without a VMI there is nothing to write an Event onto. And whoever gave up waiting may have looked before it counted.
    const isLate = Date.now() - sentAt >= REQUEST_TIMEOUT_MS;
    const moments = vm.since(sentAt - MAX_FACTS_AGE_MS);
    const vmi = !isLate && moments.every((moment) => moment.vmi === vm.now.vmi) ? vm.now.vmi : undefined;
    for (const { port } of changes) {
      const binding = requestedOf(port) || 'nothing';
      const since = port.options['handover-since'];
      if (since !== undefined) this.#made.push({ by, port, since });
      this.#untold.push({ by, vm, vmi, port, binding, isHeard, version: port.version });
    }
  }

  /** A process asks for an Event to be written. One that reports a change names the port and its new binding. */
  recorded(by: { readonly name: string }, { type, note: message, regarding }: RecordedEvent): void {
    if (type !== 'Normal' || !message.includes('requested-chassis')) return;
    const vm = this.#vms.find(({ name }) => name === regarding.name);
    const port = vm?.ports
      .filter(({ name }) => message.includes(name))
      .sort((a, b) => b.name.length - a.name.length)[0];
    if (port === undefined) {
      this.#break(`${by.name} reports a change of no port: ${message}`);
      return;
    }
    const isMeant = (commit: Commit) => commit.by === by && commit.port === port && isNamed(commit.binding, message);
    const index = this.#untold.findIndex(isMeant);
    if (index < 0 && (this.#isTwin(by, port) || this.#givenUp.some(isMeant))) return;
    if (index < 0) {
      this.#break(`${by.name} reports a change that it has not made: ${message}`);
      return;
    }
    this.#told.push(...this.#untold.splice(index, 1));
  }

  /** Whether another process made a change to the port in the very ms in which this one sent its own. */
  #isTwin(by: object, port: Port): boolean {
    const sent = this.#sent.get(by);
    return this.#made.some((one) => one.by !== by && one.port === port && sent?.has(one.since));
  }

  /** A process has answered for a VM: what it has committed meanwhile is told. */
  answered(by: { readonly name: string }, vm: Vm): void {
    const isOwn = (one: Commit) => one.by === by && one.vm === vm;
    const [untold, told] = [this.#untold.filter(isOwn), this.#told.filter(isOwn)];
    this.#untold = this.#untold.filter((one) => !isOwn(one));
    this.#told = this.#told.filter((one) => !isOwn(one));
    const silent = untold.find(
      ({ vmi, port, version, isHeard, binding }) =>
        vmi !== undefined &&
        vm.now.vmi === vmi &&
        !told.some((one) => one.port === port && one.binding === binding) &&
        // Of what nobody said whether it was committed, the row says so, if it is still there.
        (isHeard || (port.version === version && binding !== 'nothing')),
    );
    if (silent) this.#break(`${by.name} has bound ${silent.port.name} to ${silent.binding}, and told nobody`);
  }

  /** A process has given a call up: what it does not know to be committed nobody learns from it any more. */
  gaveUp(by: object, vm: Vm): void {
    const isGivenUp = (commit: Commit) => commit.by === by && commit.vm === vm && !commit.isHeard;
    this.#givenUp.push(...this.#untold.filter(isGivenUp));
    this.#untold = this.#untold.filter((commit) => !isGivenUp(commit));
  }

  died(by: object): void {
    this.#untold = this.#untold.filter((commit) => commit.by !== by);
    this.#told = this.#told.filter((commit) => commit.by !== by);
  }
}

/** As a word of its own: `chassis-a` is not meant where `chassis-a,chassis-b` is. */
function isNamed(binding: string, message: string): boolean {
  return message.split(/\s+/).some((word) => word.replace(/[,.;]+$/, '') === binding);
}
