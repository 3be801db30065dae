import type { Facts, MigrationFacts, VmiFacts } from './facts.ts';
import type { PortRecord } from './record.ts';

/** What a rule can call for; each is the part of one function. */
export type Step = 'reuse-port' | 'enable-dual-chassis' | 'disable-dual-chassis' | 'release-port';

/** The functions: one for each step, and one whose part is every step. */
export type FunctionName = Step | 'reconcile';

interface Ruled {
  readonly rule: Rule;
}

interface Owned extends Ruled {
  readonly step: Step;
  /** Any function makes it that comes across it: the events of an end may all have been. */
  readonly isAnyones: boolean;
}

interface Unbound extends Owned {
  readonly binding: 'unbound';
}

export interface Pinned extends Owned {
  readonly binding: 'pinned';
  readonly node: string;
  readonly record: PortRecord;
}

export interface Dual extends Owned {
  readonly binding: 'dual';
  readonly source: string;
  readonly target: string;
  /** The target is held closed until the guest announces itself; otherwise it is open from the start. */
  readonly isArmed: boolean;
  readonly record: PortRecord;
}

export interface Leave extends Ruled {
  readonly binding: 'leave';
  /** The port is ours to bind, though there is nothing to change now. */
  readonly isManaged: boolean;
}

/** What is to be written, by which rule of the table below, and whose step it is. */
export type Change = Unbound | Pinned | Dual;

/** What one port's binding should be. */
export type Desired = Leave | Change;

/**
 * The binding that a port of the VM should have: the first rule that matches.
 *
 * | rule | when | binding |
 * |---|---|---|
 * | 1 | VMI not opted in, no record of ours on any of its ports | leave |
 * | 2 | VMI gone or final; or the record is of an earlier VMI and no migration runs | unbound, record removed |
 * | 2b | no migration runs, the record is ours, no launcher pod but the guest's may still be plugged, and the port's first or only chassis is the guest's | unbound, record removed |
 * | 3a | a migration runs and the guest already runs on its target | pinned to the target |
 * | 3b | … target pod verified, scheduled to another node, not ended; not being deleted, or dual for it already, or memory is being copied | dual |
 * | 3c | … being deleted, or its target has ended, or the source pod | leave, unless its record says pinned to the source, or is of an earlier migration: then 3d |
 * | 3d | … no usable target | pinned to the source |
 * | 4 | no migration runs, the port has our record | pinned to where the guest runs |
 * | 5 | no migration runs, no record | leave |
 *
 * A target is armed before memory is copied and never later: QEMU's announcements end 0.8 s after the switch, of which
 * Kubernetes may show only seconds later, and a port armed after them would wait for a RARP that never comes. While
 * memory is copied the target may as well be open: virt-handler has taken the address off the pod's kernel by then.
 */
export type Rule = keyof typeof RULES;

/** Why a rule matches, for the log. */
export const RULES = {
  '1': 'the VMI is not opted in, and none of its ports has a record of ours',
  '2': 'the VMI is gone, final, or another one than the record is of',
  '2b': 'no migration runs, and no launcher pod but the guest’s may be plugged',
  '3a': 'the guest runs on the target',
  '3b': 'the target has a node',
  '3c': 'the migration is being deleted, or one of its pods has ended',
  '3d': 'no target is usable',
  '4': 'no migration runs, and another launcher pod may still be plugged',
  '5': 'no migration runs, and the port has no record of ours',
} as const;

/** @param isRecorded whether any port of the VM has a record of ours: all of them go one way */
export function desired(
  facts: Facts,
  record: PortRecord | undefined,
  isRecorded: boolean = record !== undefined,
): Desired {
  const { vmi, migration } = facts;
  if (!isRecorded && !vmi?.optedIn) return { rule: '1', binding: 'leave', isManaged: false };
  if (vmi === undefined || vmi.final) {
    return record ? released('2') : { rule: '1', binding: 'leave', isManaged: false };
  }
  if (migration) return duringMigration(vmi, migration, record);
  if (record === undefined) return leave('5');
  if (record.vmi !== vmi.uid) return released('2');
  if (vmi.node === undefined) return leave('4');
  // A port goes to none from the chassis that has the guest: whether that one holds the port is looked at before.
  const main = record.binding === 'pinned' ? (record.target ?? record.source) : record.source;
  if (vmi.isAlone && main === vmi.node) return released('2b');
  return {
    rule: '4',
    step: 'disable-dual-chassis',
    isAnyones: true,
    binding: 'pinned',
    node: vmi.node,
    // That the end was seen must show in the row, also where its chassis stays the same: whoever is about to arm the
    // port on facts from before the end finds it changed.
    record: { ...record, binding: 'pinned', target: vmi.node },
  };
}

function duringMigration(vmi: VmiFacts, migration: MigrationFacts, record: PortRecord | undefined): Desired {
  const { target } = migration;
  const ownRecord = record?.vmi === vmi.uid && record.migration === migration.uid ? record : undefined;
  const recordFor = (binding: PortRecord['binding'], source: string, targetNode?: string): PortRecord => ({
    vmi: vmi.uid,
    migration: migration.uid,
    binding,
    source,
    target: targetNode,
  });

  if (migration.switched && target?.node !== undefined) {
    const source = ownRecord?.source ?? vmi.node ?? target.node;
    return {
      rule: '3a',
      step: 'disable-dual-chassis',
      isAnyones: false,
      binding: 'pinned',
      node: target.node,
      record: recordFor('pinned', source, target.node),
    };
  }
  const source = vmi.node;
  if (source === undefined) return leave('3d');
  // The pods are read last. Without the source's, the guest no longer runs where the VMI said.
  if (migration.sourcePod === undefined) return leave('3c');
  const pinnedToSource: Pinned = {
    rule: '3d',
    step: 'reuse-port',
    isAnyones: false,
    binding: 'pinned',
    node: source,
    record: recordFor('pinned', source),
  };
  // Somebody else may have bound the port meanwhile, or put back what it was for an earlier migration.
  const isOfEarlier = record?.vmi === vmi.uid && record.migration !== migration.uid;
  const isPinned = ownRecord?.binding === 'pinned' && ownRecord.source === source && ownRecord.target === undefined;
  const isKept = isOfEarlier || isPinned;
  if (target?.ended) return isKept ? pinnedToSource : leave('3c');

  const usable = target?.node !== undefined && target.node !== source ? target.node : undefined;
  const dualAlready = ownRecord?.binding === 'dual' && ownRecord.source === source && ownRecord.target === usable;
  // A deletion may lose the race against a copy that has begun.
  if (usable !== undefined && (!migration.deleting || dualAlready || migration.copying)) {
    return {
      rule: '3b',
      step: 'enable-dual-chassis',
      isAnyones: false,
      binding: 'dual',
      source,
      target: usable,
      isArmed: !migration.copying,
      record: recordFor('dual', source, usable),
    };
  }
  if (migration.deleting) return isKept ? pinnedToSource : leave('3c');
  return pinnedToSource;
}

/** Whether a function makes such a change, or leaves it to another. */
export function isPartOf(name: FunctionName, { step, isAnyones }: Owned): boolean {
  return isAnyones || name === 'reconcile' || name === step;
}

/**
 * What a port has on the way to a dual binding, or in place of one that its target could not hold: the source alone, so
 * that the target does not take the port from a guest that still runs.
 */
export function sourceOnly({ rule, step, isAnyones, source, record }: Dual): Pinned {
  const pinned = { ...record, binding: 'pinned', target: undefined } as const;
  return { rule, step, isAnyones, binding: 'pinned', node: source, record: pinned };
}

function leave(rule: Rule): Desired {
  return { rule, binding: 'leave', isManaged: true };
}

function released(rule: Rule): Desired {
  return { rule, step: 'release-port', isAnyones: true, binding: 'unbound' };
}
