import type { desired as Desired } from '../handover/decision/desired.ts';
import { factsOf } from '../handover/decision/facts.ts';
import { isGated, type Pod } from '../handover/decision/kubevirt.ts';
import { OPTION_KEYS } from '../handover/decision/port.ts';
import { RECORD_KEYS, recordOf } from '../handover/decision/record.ts';
import { REQUEST_TIMEOUT_MS } from './functions.ts';
import { chassisName, type LogicalSwitchPort, type Ovn, type RowChange } from './ovn.ts';
import type { Moment, Vm } from './vm.ts';

/** Facts may be this old when a transaction that was decided on them is sent. */
const SHELF_LIFE_MS = 2_000;
/** Looking at the southbound database and sending the transaction take no longer than this within the shelf life. */
const SLACK_MS = 600;
/**
 * A binding that was overtaken by a switch or an end closes within this, of what was heard of it: the latest event
 * (30 s), and a broker that comes again after faults.
 */
const WINDOW_MS = 90_000;

/** What must hold whatever happens, by the model's own knowledge. The first promise that is broken ends the schedule. */
export class Promises {
  broken: string | undefined;
  readonly #vms: readonly Vm[];
  readonly #ovn: Ovn;
  /** When chassis went. */
  readonly lost = new Map<string, number>();
  /** Ports on which somebody else wrote over our keys. */
  readonly meddled = new Set<Vm>();
  /** VMs of which an event was lost: their ports may stay as they are until the next sweep. */
  readonly unheard = new Set<Vm>();
  /** VMs of which something was written that makes no event. */
  readonly untold = new Set<Vm>();

  constructor(vms: readonly Vm[], ovn: Ovn) {
    this.#vms = vms;
    this.#ovn = ovn;
  }

  break(what: string): void {
    this.broken ??= what;
  }

  /** A function's transaction has changed rows. @param sentAt when it was sent */
  written(changes: readonly RowChange[], sentAt: number): void {
    for (const change of changes) this.#writtenRow(change, sentAt);
    const vm = this.#vmOf(changes[0]?.port);
    if (vm && !this.meddled.has(vm) && new Set(vm.ports.map(requestedOf)).size > 1) {
      this.break(`the ports of ${vm.name} are bound apart: ${vm.ports.map(requestedOf).join(' and ')}`);
    }
    this.observe();
  }

  #writtenRow({ port, before }: RowChange, sentAt: number): void {
    const keys = [...changedKeys(before.options, port.options), ...changedKeys(before.externalIds, port.externalIds)];
    if (keys.length === 0) return;
    const foreign = keys.find((key) => !OPTION_KEYS.includes(key) && !RECORD_KEYS.includes(key));
    if (foreign !== undefined) this.break(`"${foreign}" of ${port.name} was changed, which is somebody else's`);
    const vm = this.#vmOf(port);
    if (vm === undefined) {
      this.break(`${port.name} was written, which is no VM's`);
      return;
    }

    const moments = vm.since(sentAt - SHELF_LIFE_MS);
    const record = recordOf(before.externalIds);
    if (record === undefined && !moments.some(({ optedIn }) => optedIn)) {
      this.break(`${port.name} was written, though ${vm.name} is not opted in`);
    }
    const requested = requestedOf(port);
    const names = requested?.split(',') ?? [];
    const unknown = names.find((name) => !this.#ovn.isKnown(name) && !(this.lost.get(name)! > sentAt - SHELF_LIFE_MS));
    if (unknown !== undefined) this.break(`${port.name} was bound to ${unknown}, which OVN does not know`);
    const isArmed = port.options['activation-strategy'] !== undefined;
    if (isArmed !== (names.length === 2))
      this.break(`${port.name} is bound to ${requested} ${isArmed ? '' : 'not '}armed`);

    // OVN took it up after its time-out, when whoever sent it had looked again: nothing shows any more that its VM went.
    const isLate = Date.now() - sentAt >= REQUEST_TIMEOUT_MS;
    if (isLate && record === undefined && recordOf(port.externalIds)?.vmi !== vm.last.uid) this.unheard.add(vm);

    const [main, additional] = names;
    if (main === undefined) {
      if (!moments.some(({ uid }) => uid === undefined || uid !== record?.vmi)) {
        this.break(`${port.name} was released, though ${vm.name} runs`);
      }
    } else if (additional === undefined) {
      const isThere = moments.some((moment) =>
        [moment.guest, toldNode(moment)].some((node) => node && chassisName(node) === main),
      );
      if (!isThere) this.break(`${port.name} was pinned to ${main}, where ${vm.name} does not run`);
    } else {
      if (!moments.some((moment) => isDualDue(moment, main, additional)))
        this.break(`${port.name} was bound to ${requested}, though no migration of ${vm.name} was before its switch`);
      const { activated, activatedAt } = this.#ovn.bindings.get(port.name)!;
      const wasDual = before.options['activation-strategy'] !== undefined;
      if (!wasDual && activated.length > 0 && activatedAt < sentAt - SHELF_LIFE_MS - SLACK_MS) {
        this.break(`${port.name} was armed while OVN still had it activated on ${activated}`);
      }
    }
  }

  /** Our gate is taken off a target pod. */
  admitted(vm: Vm, pod: Pod, sentAt: number): void {
    const { migration } = vm.last;
    if (!isGated(pod) || migration === undefined || migration.ended || this.meddled.has(vm)) return;
    if (vm.migration?.pod !== pod.metadata.uid) return;
    if (vm.since(sentAt - SHELF_LIFE_MS).some(({ optedIn, uid }) => !optedIn || uid !== vm.last.uid)) return;
    const loose = vm.ports.find((port) => requestedOf(port) === undefined);
    if (loose) this.break(`target pod ${pod.metadata.uid} was let go while ${loose.name} is bound to no chassis`);
  }

  /**
   * When nothing is under way any more.
   * @param swept whether `reconcile` has just run; before that, only VMs of which every event was heard are right
   */
  atRest(decide: typeof Desired, swept: boolean): void {
    const when = swept ? 'after a sweep' : 'though every event was heard';
    for (const vm of this.#vms) {
      if (!swept && this.#isExcused(vm)) continue;
      for (const port of vm.ports) {
        const wrong = this.#wrongAtRest(vm, port, decide);
        if (wrong) this.break(`${port.name} ${wrong}, ${when}`);
      }
      const { migration } = vm.last;
      const gated = vm.pods.find((pod) => pod.metadata.uid === vm.migration?.pod && isGated(pod));
      const mayGo = gated && migration && !migration.ended && !isBeingDeleted(vm) && this.lost.size === 0;
      if (mayGo) this.break(`target pod ${gated.metadata.uid} waits for ever, ${when}`);
    }
  }

  /**
   * To be called whenever something has changed: closes and opens the windows in which ports are bound by what has been
   * overtaken.
   */
  observe(): void {
    for (const vm of this.#vms) {
      if (this.#isExcused(vm)) {
        vm.overtakenSince = undefined;
        continue;
      }
      if (vm.overtakenSince !== undefined && Date.now() - vm.overtakenSince > WINDOW_MS) {
        this.break(
          `the ports of ${vm.name} were bound by what had been overtaken for more than ${WINDOW_MS / 1_000} s`,
        );
      }
      if (!vm.ports.some((port) => isOvertaken(vm.last, port))) vm.overtakenSince = undefined;
      else vm.overtakenSince ??= Date.now();
    }
  }

  /** Whether nobody was told of all that is so of a VM: then only a sweep puts it right. */
  #isExcused(vm: Vm): boolean {
    const isFailed = vm.vmi !== undefined && vm.last.uid === undefined;
    return isFailed || this.lost.size > 0 || [this.unheard, this.untold, this.meddled].some((vms) => vms.has(vm));
  }

  #wrongAtRest(vm: Vm, port: LogicalSwitchPort, decide: typeof Desired): string | undefined {
    const { uid, guest, migration } = vm.last;
    const requested = requestedOf(port);
    const ours = RECORD_KEYS.filter((key) => key in port.externalIds);
    const record = recordOf(port.externalIds);
    if (uid === undefined) {
      const trace = [...OPTION_KEYS.filter((key) => key in port.options), ...ours];
      return trace.length > 0 ? `still has ${trace.join(', ')} of a VM that is gone` : undefined;
    }
    if (record === undefined && requested !== undefined) return `is bound to ${requested} without a record`;
    if (migration === undefined) {
      if (record !== undefined && record.vmi !== uid) return 'still has the record of the VM that had its name before';
      if (record === undefined || guest === undefined || !this.#ovn.isKnown(chassisName(guest))) return undefined;
      if (requested === chassisName(guest) && port.options['activation-strategy'] === undefined) return undefined;
      return `is bound to ${requested}, while the guest runs on ${guest} and nothing migrates`;
    }
    const wanted = decide(factsOf({ migrations: vm.vmims, vmi: vm.vmi, pods: vm.pods }), record);
    if (wanted.binding === 'leave') return undefined;
    const nodes =
      wanted.binding === 'pinned' ? [wanted.node] : wanted.binding === 'dual' ? [wanted.source, wanted.target] : [];
    const expected = nodes.map(chassisName).join(',');
    if (!nodes.map(chassisName).every((name) => this.#ovn.isKnown(name))) return undefined;
    return (requested ?? '') === expected
      ? undefined
      : `is bound to ${requested}, and rule ${wanted.rule} says ${expected}`;
  }

  #vmOf(port: LogicalSwitchPort | undefined): Vm | undefined {
    return port && this.#vms.find(({ ports }) => ports.includes(port));
  }
}

function requestedOf({ options }: LogicalSwitchPort): string | undefined {
  return options['requested-chassis'];
}

/** Where the guest runs by what Kubernetes tells. */
function toldNode({ node, migration }: Moment): string | undefined {
  return migration?.switched ? migration.target : node;
}

function isDualDue({ node, migration }: Moment, main: string, additional: string): boolean {
  if (migration?.target === undefined || node === undefined || migration.ended || migration.switched) return false;
  return chassisName(node) === main && chassisName(migration.target) === additional;
}

/** Bound for a migration before its switch that is none any more, or to where the guest no longer runs. */
function isOvertaken(moment: Moment, port: LogicalSwitchPort): boolean {
  const [main, additional] = requestedOf(port)?.split(',') ?? [];
  if (main === undefined || recordOf(port.externalIds) === undefined) return false;
  if (additional !== undefined && !isDualDue(moment, main, additional)) return true;
  return moment.guest === undefined || chassisName(moment.guest) !== main;
}

function isBeingDeleted({ vmims, migration }: Vm): boolean {
  return vmims.some(({ metadata }) => metadata.uid === migration?.uid && metadata.deletionTimestamp !== undefined);
}

function changedKeys(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
}
