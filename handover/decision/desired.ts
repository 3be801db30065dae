import type { Facts, MigrationFacts, VmiFacts } from './facts.ts';
import type { PortRecord } from './record.ts';

/** What a rule can call for; each is the part of one function, and a release also of any other that comes across it. */
export type Step = 'reuse-port' | 'enable-dual-chassis' | 'disable-dual-chassis' | 'release-port';

/** The functions: one for each step, and one whose part is every step. */
export type FunctionName = Step | 'reconcile';

/** What one port's binding should be, by which rule of the table below, and whose step it is to make it so. */
export type Desired =
  | { readonly rule: Rule; readonly binding: 'leave' }
  | { readonly rule: Rule; readonly step: Step; readonly binding: 'unbound' }
  | {
      readonly rule: Rule;
      readonly step: Step;
      readonly binding: 'pinned';
      readonly node: string;
      readonly record: PortRecord;
    }
  | {
      readonly rule: Rule;
      readonly step: Step;
      readonly binding: 'dual';
      readonly source: string;
      readonly target: string;
      readonly record: PortRecord;
    };

export type Rule = '1' | '2' | '3a' | '3b' | '3c' | '3d' | '4' | '5';

/**
 * The binding that a port of the VM should have: the first rule that matches.
 *
 * | rule | when | binding |
 * |---|---|---|
 * | 1 | VMI not opted in, no record of ours on the port | leave |
 * | 2 | VMI gone or final; or the record is of an earlier VMI and no migration runs | unbound, record removed |
 * | 3a | a migration runs and the guest already runs on its target | pinned to the target |
 * | 3b | … target pod verified, scheduled to another node, not ended; not being deleted, or dual for it already | dual (where the record is not of this migration, or dual for another target: pinned to the source first) |
 * | 3c | … being deleted, or its target has ended, or the source pod | leave |
 * | 3d | … no usable target yet | pinned to the source |
 * | 4 | no migration runs, the port has our record | pinned to where the guest runs |
 * | 5 | no migration runs, no record | leave |
 *
 * After the switch (3a) nothing is armed: QEMU's announcements end 0.8 s after it, and a port armed later would
 * wait for a RARP that never comes.
 */
export function desired(facts: Facts, record: PortRecord | undefined): Desired {
  const { vmi, migration } = facts;
  if (record === undefined && !vmi?.optedIn) return leave('1');
  if (vmi === undefined || vmi.final) {
    return record ? { rule: '2', step: 'release-port', binding: 'unbound' } : leave('1');
  }
  if (migration) return duringMigration(vmi, migration, record);
  if (record === undefined) return leave('5');
  if (record.vmi !== vmi.uid) return { rule: '2', step: 'release-port', binding: 'unbound' };
  if (vmi.node === undefined) return leave('4');
  return {
    rule: '4',
    step: 'disable-dual-chassis',
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
      binding: 'pinned',
      node: target.node,
      record: recordFor('pinned', source, target.node),
    };
  }
  const source = vmi.node;
  if (source === undefined) return leave('3d');
  // The pods are read last. Without the source's, the guest no longer runs where the VMI said.
  if (target?.ended || migration.sourcePod === undefined) return leave('3c');

  const usable = target?.node !== undefined && target.node !== source ? target.node : undefined;
  const dualAlready = ownRecord?.binding === 'dual' && ownRecord.source === source && ownRecord.target === usable;
  if (usable !== undefined && (!migration.deleting || dualAlready)) {
    if (ownRecord === undefined || (ownRecord.binding === 'dual' && !dualAlready)) {
      // The end of a migration shows in the row (rule 4) only where the row tells of that migration; without that, an
      // arming that was held up could commit after the end. And northd forgets which chassis was activated only while no
      // additional one is requested, so what is dual for another target is pinned for a moment before it is armed again.
      return {
        rule: '3b',
        step: 'enable-dual-chassis',
        binding: 'pinned',
        node: source,
        record: recordFor('pinned', source),
      };
    }
    return {
      rule: '3b',
      step: 'enable-dual-chassis',
      binding: 'dual',
      source,
      target: usable,
      record: recordFor('dual', source, usable),
    };
  }
  if (migration.deleting) return leave('3c');
  return { rule: '3d', step: 'reuse-port', binding: 'pinned', node: source, record: recordFor('pinned', source) };
}

/**
 * What a port has in place of a dual binding that its target could not hold: the source alone until the guest has
 * switched, so that the target does not take the port from a guest that still runs.
 */
export function sourceOnly({ rule, step, source, record }: Desired & { readonly binding: 'dual' }): Desired {
  return { rule, step, binding: 'pinned', node: source, record: { ...record, binding: 'pinned', target: undefined } };
}

function leave(rule: Rule): Desired {
  return { rule, binding: 'leave' };
}
