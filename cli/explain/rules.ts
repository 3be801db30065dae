import type { Rule } from '../../handover/decision/desired.ts';
import type { Facts } from '../../handover/decision/facts.ts';
import type { PortRecord } from '../../handover/decision/record.ts';

/** What a rule asks of the facts, and whether it is so. */
export interface Condition {
  readonly what: string;
  readonly holds: boolean;
}

export interface TriedRule {
  readonly rule: Rule;
  readonly holds: boolean;
  /** In words: that all hold, or the first that does not. */
  readonly conditions: readonly Condition[];
}

/**
 * The rules in the order in which `desired` tries them, to the first that holds, each with what it asks for. It tells of
 * that table in words and decides nothing; a test holds the two together.
 * @param isRecorded whether any port of the VM has a record of ours
 */
export function rulesTried(
  facts: Facts,
  record: PortRecord | undefined,
  isRecorded = record !== undefined,
): readonly TriedRule[] {
  const tried: TriedRule[] = [];
  for (const [rule, conditions] of rulesFor(facts, record, isRecorded)) {
    const holds = conditions.every((condition) => condition.holds);
    tried.push({ rule, holds, conditions });
    if (holds) break;
  }
  return tried;
}

function rulesFor(
  facts: Facts,
  record: PortRecord | undefined,
  isRecorded: boolean,
): readonly (readonly [Rule, readonly Condition[]])[] {
  const { vmi, migration } = facts;
  const hasRecord = record !== undefined;
  const isGone = vmi === undefined || vmi.final;
  const noRecord = is('the port has no record of ours', !hasRecord);
  const isMigrating = is('a migration runs', migration !== undefined);
  const ends = is('no migration runs', migration === undefined);
  return [
    ['1', [is('the VMI is not opted in', !vmi?.optedIn), is('no port of the VM has a record of ours', !isRecorded)]],
    ['1', [is('the VMI is gone or final', isGone), noRecord]],
    ['2', [is('the VMI is gone or final', isGone)]],
    ...duringMigration(facts, record).map(([rule, ...conditions]) => [rule, [isMigrating, ...conditions]] as const),
    ['5', [ends, noRecord]],
    ['2', [ends, is('the record is of an earlier VMI of this name', record?.vmi !== vmi?.uid)]],
    ['4', [ends, is('the guest’s node is not known, so nothing can be written', vmi?.node === undefined)]],
    [
      '2b',
      [
        ends,
        is('no launcher pod but the guest’s may still be plugged', vmi?.isAlone === true),
        is('the guest runs on the first or only chassis of the port', firstNode(record) === vmi?.node),
      ],
    ],
    ['4', [ends]],
  ];
}

function duringMigration(
  { vmi, migration }: Facts,
  record: PortRecord | undefined,
): readonly (readonly [Rule, ...Condition[]])[] {
  const target = migration?.target;
  const source = vmi?.node;
  const isElsewhere = target?.node !== undefined && target.node !== source;
  const isOfThis = record?.vmi === vmi?.uid && record?.migration === migration?.uid;
  const isDualAlready =
    isOfThis && record?.binding === 'dual' && record.source === source && record.target === target?.node;
  const isPinnedToSource =
    isOfThis && record?.binding === 'pinned' && record.source === source && record.target === undefined;
  const isOfEarlier = record !== undefined && record.vmi === vmi?.uid && record.migration !== migration?.uid;
  const isLeft = is(
    'its record does not pin it to the source, nor is of an earlier migration',
    !isPinnedToSource && !isOfEarlier,
  );
  const mayStillHappen = !migration?.deleting || isDualAlready || migration.copying;
  return [
    ['3a', is('the guest runs on the target already', migration?.switched === true && target?.node !== undefined)],
    ['3d', is('the guest’s node is not known, so nothing can be written', source === undefined)],
    ['3c', is('the source pod has ended', migration?.sourcePod === undefined)],
    ['3c', is('the target pod has ended', target?.ended === true), isLeft],
    [
      '3b',
      is('the target pod has not ended', target?.ended !== true),
      is('the target pod has a node other than the source’s', isElsewhere),
      is('the migration is not being deleted, or its ports are dual, or memory is being copied', mayStillHappen),
    ],
    ['3c', is('the migration is being deleted', migration?.deleting === true), isLeft],
    ['3d'],
  ];
}

function is(what: string, holds: boolean): Condition {
  return { what, holds };
}

function firstNode(record: PortRecord | undefined): string | undefined {
  return record?.binding === 'pinned' ? (record.target ?? record.source) : record?.source;
}
