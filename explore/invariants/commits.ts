import type { Port, RowChange } from '../model/northbound.ts';
import type { Southbound } from '../model/southbound.ts';
import type { Moment, Vm } from '../model/vm.ts';
import {
  dualAt,
  hasOtherTap,
  isOurKey,
  isRecorded,
  MAX_FACTS_AGE_MS,
  requestedOf,
  toldNode,
  vmiOfRecord,
} from './truth.ts';

/** Looking at the southbound database and sending the transaction take no longer than this beside the age of facts. */
const SLACK_MS = 600;

/** Ports may be bound apart for so long after a neighbour has written one of them. */
const APART_MS = 10_000;

interface Ledger {
  /** What we wrote last, as long as nobody has written over it. */
  own: string | undefined;
  /** What has happened since the beginning that calls for a write, less the writes. */
  credit: number;
  neighbourAt: number;
  /** Who of ours wrote it last, and when. */
  by: object | undefined;
  writtenAt: number;
}

/** What may be written, by us, to the rows of others. */
export class CommitInvariants {
  /** When chassis went, by name; also of those that came back under another. */
  readonly lostAt = new Map<string, number>();
  /** Names of the chassis that are not there. */
  readonly lost = new Set<string>();
  readonly #vms: readonly Vm[];
  readonly #southbound: Southbound;
  readonly #break: (what: string) => void;
  readonly #ledgers = new Map<Port, Ledger>();
  readonly #classes = new Map<Vm, string>();

  constructor(vms: readonly Vm[], southbound: Southbound, onBroken: (what: string) => void) {
    this.#vms = vms;
    this.#southbound = southbound;
    this.#break = onBroken;
  }

  /** @param sentAt when a function sent the transaction that has changed the rows */
  committed(by: object, changes: readonly RowChange[], sentAt: number): void {
    // A record that a neighbour has put back after its release is taken for one of ours, on that port alone.
    const isPutBack = changes.some(({ port, before }) => this.#ledger(port).own === '' && isRecorded(before));
    // One port's record, as it was when it was read, speaks for all ports of its VM.
    const beforeIt = (port: Port) =>
      port.since(sentAt - MAX_FACTS_AGE_MS).slice(0, changes.some((change) => change.port === port) ? -1 : undefined);
    const wasRecorded = this.vmOf(changes[0]!.port)?.ports.some((port) => beforeIt(port).some(isRecorded)) === true;
    for (const change of changes) this.#check(change, sentAt, wasRecorded);
    for (const { port } of changes) Object.assign(this.#ledger(port), { by, writtenAt: Date.now() });
    const vm = this.vmOf(changes[0]!.port);
    // What a neighbour has undone of one port takes a look or two to be alike again.
    if (vm === undefined || this.neighbourWroteSince(vm, sentAt - APART_MS)) return;
    const own = vm.ports.filter((port) => this.isAsWritten(port)).map(requestedOf);
    if (!isPutBack && new Set(own).size > 1)
      this.#break(`the ports of ${vm.name} are bound apart: ${own.join(' and ')}`);
  }

  /** Somebody else has written a row. @returns whether it was ours that was changed */
  neighbourWrote(port: Port, before: Port['options']): boolean {
    const isOurs = changedKeys(before, port.options).some(isOurKey);
    if (!isOurs) return false;
    const ledger = this.#ledger(port);
    ledger.credit++;
    ledger.neighbourAt = Date.now();
    return true;
  }

  neighbourWroteSince(vm: Vm, time: number): boolean {
    return vm.ports.some((port) => this.#ledger(port).neighbourAt >= time);
  }

  /** Whether a port is bound as we have bound it last, and still says so. */
  isAsWritten(port: Port): boolean {
    const requested = requestedOf(port);
    return this.#ledger(port).own === requested && (requested === '' || isRecorded(port));
  }

  /** Whether anybody but one process has written a port since. */
  othersWroteSince(by: object, vm: Vm, time: number): boolean {
    const isOthers = (ledger: Ledger) => ledger.writtenAt >= time && ledger.by !== by;
    return this.neighbourWroteSince(vm, time) || vm.ports.some((port) => isOthers(this.#ledger(port)));
  }

  /** To be called whenever something is true of a VM that was not: that may call for a write. */
  noteChange(vm: Vm): void {
    const now = classOf(vm);
    if (this.#classes.get(vm) === now) return;
    this.#classes.set(vm, now);
    this.credit(vm);
  }

  /** Something has happened that may call for a write to each port of a VM. */
  credit(vm: Vm): void {
    for (const port of vm.ports) this.#ledger(port).credit++;
  }

  vmOf(port: Port): Vm | undefined {
    return this.#vms.find(({ ports }) => ports.includes(port));
  }

  #check({ port, before }: RowChange, sentAt: number, wasRecorded: boolean): void {
    const keys = changedKeys(before.options, port.options);
    const ids = changedKeys(before.externalIds, port.externalIds).filter((key) => !key.startsWith('handover-'));
    if (keys.length === 0 && ids.length === 0) return;
    const foreign = [...keys.filter((key) => !isOurKey(key)), ...ids];
    if (foreign.length > 0) this.#break(`"${foreign[0]}" of ${port.name} was changed, which is somebody else's`);
    const vm = this.vmOf(port);
    if (vm === undefined) {
      this.#break(`${port.name} was written, which is no VM's`);
      return;
    }

    const moments = vm.since(sentAt - MAX_FACTS_AGE_MS);
    if (!wasRecorded && !moments.some(({ optedIn }) => optedIn)) {
      this.#break(`${port.name} was written, though ${vm.name} is not opted in`);
    }
    const requested = requestedOf(port);
    const names = requested === '' ? [] : requested.split(',');
    const unknown = names.find((name) => !this.#isKnown(name, sentAt));
    if (unknown !== undefined) this.#break(`${port.name} was bound to ${unknown}, which is no chassis of this cluster`);
    const isArmed = port.options['activation-strategy'] !== undefined;
    const mayBeOpen = names.length < 2 || moments.some(({ migration }) => migration?.copying);
    if (names.length > 0 !== isRecorded(port)) {
      this.#break(
        `${port.name} is bound to ${requested || 'nothing'} ${isRecorded(port) ? 'with' : 'without'} a record`,
      );
    }
    if (names.length < 2 && isArmed) this.#break(`${port.name} is bound to ${requested || 'nothing'}, and armed`);
    if (!isArmed && !mayBeOpen) this.#break(`${port.name} is open on ${requested} before memory is copied`);
    if (names.length === 0) this.#checkRelease(vm, port, before, moments);
    if (names.length === 1) this.#checkPin(vm, port, requested, moments);
    if (names.length === 2) this.#checkDual(vm, port, before, moments, sentAt);
    this.#checkUndone(port, before, moments);
    this.#checkCost(port, requested);
  }

  #checkRelease(vm: Vm, port: Port, before: RowChange['before'], moments: readonly Moment[]): void {
    if (moments.some(({ uid }) => uid === undefined)) return;
    const atRest = moments.some(({ migration }) => !migration?.isFound);
    const isOfEarlier = moments.some(({ uid }) => uid !== vmiOfRecord(before));
    if (!atRest) {
      this.#break(`${port.name} was released, though ${vm.name} migrates`);
      return;
    }
    // A migration that has begun just now plugs in on what was requested just before.
    const isPlugged = hasOtherTap(vm) && vm.now.migration === undefined;
    if (isPlugged && !isOfEarlier) {
      this.#break(`${port.name} was released, though ${vm.name} is plugged in elsewhere too`);
    }
  }

  #checkPin(vm: Vm, port: Port, requested: string, moments: readonly Moment[]): void {
    const isThere = moments.some((moment) =>
      [moment.guest, toldNode(moment)].some((node) => node && this.#southbound.chassisOf(node) === requested),
    );
    if (!isThere && !this.lostAt.has(requested)) {
      this.#break(`${port.name} was pinned to ${requested}, where ${vm.name} does not run`);
    }
  }

  #checkDual(vm: Vm, port: Port, before: RowChange['before'], moments: readonly Moment[], sentAt: number): void {
    const requested = requestedOf(port);
    const isDue = moments.some((moment) => dualAt(moment, this.#southbound) === requested);
    if (!isDue && this.lost.size === 0) {
      this.#break(`${port.name} was bound to ${requested}, though no migration of ${vm.name} was before its switch`);
    }
    const { activated, activatedAt } = this.#southbound.bindingOf(port);
    const isArmed = port.options['activation-strategy'] !== undefined;
    const isArming = isArmed && before.options['activation-strategy'] === undefined;
    if (isArming && moments.every(({ migration }) => migration?.copying)) {
      this.#break(`${port.name} was armed when memory was copied already: its RARP may be over`);
    }
    if (isArming && activated.length > 0 && activatedAt < sentAt - MAX_FACTS_AGE_MS - SLACK_MS) {
      this.#break(`${port.name} was armed while OVN still had it activated on ${activated}`);
    }
  }

  /** A dual binding that was right all the time in which anybody could have looked is left alone. */
  #checkUndone(port: Port, before: RowChange['before'], moments: readonly Moment[]): void {
    const was = requestedOf(before);
    if (!was.includes(',') || was === requestedOf(port)) return;
    if (moments.every((moment) => dualAt(moment, this.#southbound) === was)) {
      this.#break(`${port.name} was right with ${was}, and was bound to ${requestedOf(port) || 'nothing'}`);
    }
  }

  #checkCost(port: Port, requested: string): void {
    const ledger = this.#ledger(port);
    ledger.own = requested;
    ledger.credit--;
    if (ledger.credit < 0) this.#break(`${port.name} was written more often than anything called for`);
  }

  #isKnown(name: string, sentAt: number): boolean {
    if (this.lostAt.get(name)! > sentAt - MAX_FACTS_AGE_MS) return true;
    return this.#southbound.chassis.some(
      (one) => one.name === name && this.#southbound.chassisOf(one.hostname) === name,
    );
  }

  #ledger(port: Port): Ledger {
    const present = this.#ledgers.get(port) ?? {
      own: undefined,
      credit: 0,
      neighbourAt: 0,
      by: undefined,
      writtenAt: 0,
    };
    this.#ledgers.set(port, present);
    return present;
  }
}

/** What a binding depends on: while it stays the same, nothing calls for another write. */
function classOf(vm: Vm): string {
  const { uid, optedIn, node, migration } = vm.now;
  const others = vm.pods.filter(({ metadata, status }) => metadata.uid !== vm.guestPod && status.phase === 'Running');
  return JSON.stringify([uid, optedIn, node, others.length > 0, migration]);
}

export function changedKeys(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
}
