import { describe, expect, test } from '@jest/globals';
import { type Change, type Desired, type Dual, desired } from '../../../handover/decision/desired.ts';
import {
  carriesChange,
  changeFor,
  isBoundFor,
  isDual as isBoundToTwo,
  nodesOf,
  OPTION_KEYS,
  type Port,
  type PortChange,
} from '../../../handover/decision/port.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import { factsAt, moment, pod, VMIM_UID } from '../../../testkit/moments.ts';
import { ARMED, CHASSIS, DUAL, PINNED, port, SINCE, TO_BOTH, TO_SOURCE, TO_TARGET } from '../support/ports.ts';

const NOW = new Date('2026-08-20T10:00:02.345Z');
const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: NOW };

const wantPinned = desired(factsAt(moment('VMIM created')), undefined) as Change;
const wantDual = desired(factsAt(moment('target pod scheduled')), PINNED) as Dual;
const wantOpen = desired(factsAt(moment('memory is copied')), DUAL) as Dual;
const wantTarget = desired(factsAt(moment('node moved')), DUAL) as Change;
const wantNone = desired(factsAt({ vmi: undefined }), DUAL) as Change;
const leave: Desired = { rule: '3c', binding: 'leave', isManaged: true };

const isPinned = port({ options: TO_SOURCE, record: PINNED });
const isDual = port({ options: ARMED, record: DUAL });
const isOpen = port({ options: TO_BOTH, record: DUAL });

/** Of a change: the binding that it writes, whether with its record, and whether another one follows. */
function written(change: PortChange | undefined): string {
  if (change === undefined) return 'nothing';
  const { options, isInterim } = change;
  const { 'requested-chassis': chassis = 'none', 'activation-strategy': strategy, ...record } = options;
  const expected = change.wanted.binding === 'unbound' ? {} : recordEntries(change.wanted.record, NOW);
  expect(record).toEqual(expected);
  return `${chassis}${strategy ? ` by ${strategy}` : ''}${isInterim ? ', for a moment' : ''}`;
}

describe('the change that a port needs', () => {
  test("pinned: one chassis, by its name and not the node's, and no activation strategy", () => {
    const change = changeFor(isDual, wantPinned, setup);
    expect(change).toStrictEqual({
      port: isDual,
      wanted: wantPinned,
      isInterim: false,
      options: { 'requested-chassis': 'chassis-1', ...recordEntries(PINNED, NOW) },
    });
    expect(change?.options).not.toHaveProperty('handover-target');
  });

  test('dual: the source first, for the first is the main chassis, and closed until the RARP', () => {
    expect(changeFor(isPinned, wantDual, setup)).toEqual({
      port: isPinned,
      wanted: wantDual,
      isInterim: false,
      options: {
        'requested-chassis': 'chassis-1,chassis-2',
        'activation-strategy': 'rarp',
        ...recordEntries(DUAL, NOW),
      },
    });
  });

  test('dual by the strategy of the installation', () => {
    const change = changeFor(isPinned, wantDual, { ...setup, activationStrategy: 'rarp,garp' });
    expect(written(change)).toBe('chassis-1,chassis-2 by rarp,garp');
  });

  test('unbound: nothing of ours is left', () => {
    expect(changeFor(isDual, wantNone, setup)).toEqual({
      port: isDual,
      wanted: wantNone,
      isInterim: false,
      options: {},
    });
  });

  test('none where the port has it already, however long since', () => {
    expect(changeFor(isPinned, wantPinned, setup)).toBeUndefined();
    expect(changeFor(isDual, wantDual, setup)).toBeUndefined();
    expect(changeFor(isOpen, wantOpen, setup)).toBeUndefined();
    expect(changeFor(port(), wantNone, setup)).toBeUndefined();
  });

  test('none where it is to be left alone, whatever is on it', () => {
    for (const before of [isPinned, isDual, port()]) expect(changeFor(before, leave, setup)).toBeUndefined();
  });

  test.each<[string, Port, Change, Record<string, string>, string]>([
    [
      'a pinned one that kept the strategy',
      isPinned,
      wantPinned,
      { ...TO_SOURCE, 'activation-strategy': 'rarp' },
      'chassis-1',
    ],
    ['a hostname in place of the chassis name', isPinned, wantPinned, { 'requested-chassis': 'worker-a' }, 'chassis-1'],
    ['a binding that somebody removed', isPinned, wantPinned, {}, 'chassis-1'],
    ['a strategy without a chassis', port(), wantNone, { 'activation-strategy': 'rarp' }, 'none'],
  ])('repairs %s', (_what, before, wanted, options, becomes) => {
    expect(written(changeFor({ ...before, options }, wanted, setup))).toBe(becomes);
  });

  test.each([
    ['of another migration', { ...PINNED, migration: 'another' }],
    ['of an earlier VMI', { ...PINNED, vmi: 'earlier' }],
    ['with another source', { ...PINNED, source: 'worker-c' }],
    ['with a target that is no more', { ...PINNED, target: 'worker-b' }],
    ['of a dual binding', DUAL],
  ])('renews a record %s though the binding is right', (_what, record) => {
    expect(written(changeFor(port({ options: TO_SOURCE, record }), wantPinned, setup))).toBe('chassis-1');
  });

  test('clears away what is left of a record that is not whole', () => {
    const rest = port({ options: { 'handover-since': SINCE.toISOString() } });
    expect(written(changeFor(rest, wantNone, setup))).toBe('none');
  });
});

describe('a dual binding that others wrote to', () => {
  test('is given its lost record back in one write, and stays as it is on the way, armed or open', () => {
    expect(written(changeFor(port({ options: ARMED }), wantDual, setup))).toBe('chassis-1,chassis-2 by rarp');
    expect(written(changeFor(port({ options: ARMED }), wantOpen, setup))).toBe('chassis-1,chassis-2 by rarp');
    expect(written(changeFor(port({ options: TO_BOTH }), wantOpen, setup))).toBe('chassis-1,chassis-2');
    const other = { ...TO_BOTH, 'activation-strategy': 'garp' };
    expect(written(changeFor(port({ options: other }), wantDual, setup))).toBe('chassis-1,chassis-2 by garp');
  });

  test('and that is right is not written at all while the target is marked as activated, not even for its record', () => {
    const activated = { ...setup, activated: ['chassis-2'] };
    for (const options of [ARMED, TO_BOTH]) {
      for (const record of [undefined, DUAL]) {
        for (const wanted of [wantDual, wantOpen]) {
          expect(changeFor(port({ options, ...(record && { record }) }), wanted, activated)).toBeUndefined();
        }
      }
    }
  });

  test('stays open where it carries its record: a look that knew of an activation may have made it so', () => {
    expect(changeFor(isOpen, wantDual, setup)).toBeUndefined();
  });

  test('stays open while memory is copied', () => {
    expect(changeFor(isOpen, wantOpen, setup)).toBeUndefined();
  });

  test('stays armed while memory is copied where it was armed before', () => {
    expect(changeFor(isDual, wantOpen, setup)).toBeUndefined();
  });

  test('is armed again where it was stripped before memory is copied', () => {
    expect(written(changeFor(port({ record: DUAL }), wantDual, setup))).toBe('chassis-1,chassis-2 by rarp');
    expect(written(changeFor(port({ options: TO_SOURCE, record: DUAL }), wantDual, setup))).toBe(
      'chassis-1,chassis-2 by rarp',
    );
  });

  test('is made open where it was stripped while memory is copied, with or without its record', () => {
    for (const before of [port({ record: DUAL }), port(), isPinned]) {
      expect(written(changeFor(before, wantOpen, setup))).toBe('chassis-1,chassis-2');
    }
  });

  test('is made open where it was stripped after its target had been opened', () => {
    const activated = { ...setup, activated: ['chassis-2'] };
    expect(written(changeFor(port({ record: DUAL }), wantDual, activated))).toBe('chassis-1,chassis-2');
    expect(written(changeFor(port({ options: TO_TARGET, record: DUAL }), wantDual, activated))).toBe(
      'chassis-1,chassis-2',
    );
  });

  test('is armed where the activation is none of this migration: it is of a target before', () => {
    const activated = { ...setup, activated: ['chassis-2'] };
    for (const record of [undefined, PINNED, { ...DUAL, migration: 'another' }]) {
      const before = port({ options: TO_SOURCE, ...(record && { record }) });
      expect(written(changeFor(before, wantDual, activated))).toBe('chassis-1,chassis-2 by rarp');
    }
  });

  test.each([
    ['another target', { 'requested-chassis': 'chassis-1,chassis-3' }],
    ['another source', { 'requested-chassis': 'chassis-3,chassis-2' }],
    ['source and target the other way round', { 'requested-chassis': 'chassis-2,chassis-1' }],
    ['a third chassis', { 'requested-chassis': 'chassis-1,chassis-2,chassis-3' }],
  ])('and names %s goes by the source alone for a moment: northd keeps an activation while it is dual', (_what, to) => {
    const before = port({ options: { ...to, 'activation-strategy': 'rarp' }, record: DUAL });
    for (const wanted of [wantDual, wantOpen]) {
      for (const activated of [[], ['chassis-2']]) {
        const change = changeFor(before, wanted, { ...setup, activated });
        expect(written(change)).toBe('chassis-1, for a moment');
        expect(change?.wanted).toMatchObject({ rule: '3b', binding: 'pinned', node: 'worker-a', record: PINNED });
      }
    }
  });
});

describe('a target that could not hold the port until its guest announces itself', () => {
  const unholdable = { ...setup, whyNotHeld: 'no address begins with a MAC' };

  test('is left out until the guest has switched: the port goes by its source alone', () => {
    const change = changeFor(port(), wantDual, unholdable);
    expect(written(change)).toBe('chassis-1');
    expect(change?.wanted).toMatchObject({ binding: 'pinned', record: PINNED });
    expect(changeFor(isPinned, wantDual, unholdable)).toBeUndefined();
  });

  test('is open from the start once memory is copied: it need not be held', () => {
    expect(written(changeFor(isPinned, wantOpen, unholdable))).toBe('chassis-1,chassis-2');
  });
});

test('the nodes of a binding are those whose chassis it names, the main one first', () => {
  expect([wantPinned, wantDual, wantTarget, wantNone, leave].map(nodesOf)).toEqual([
    ['worker-a'],
    ['worker-a', 'worker-b'],
    ['worker-b'],
    [],
    [],
  ]);
});

test('the options that are ours are the binding and the record', () => {
  expect([...OPTION_KEYS].sort()).toEqual(
    ['requested-chassis', 'activation-strategy', ...Object.keys(recordEntries(DUAL, NOW))].sort(),
  );
});

describe('whether a change counted after all', () => {
  const change = changeFor(isPinned, wantDual, setup)!;
  const after = { ...isDual, options: { mcast_flood: 'true', ...change.options } };

  test('is told by the time in the record', () => {
    expect(carriesChange(change, after)).toBe(true);
    expect(carriesChange(change, isPinned)).toBe(false);
    expect(carriesChange(change, isDual)).toBe(false);
  });

  test('does not depend on what others wrote meanwhile', () => {
    const options = { ...after.options, mcast_flood: 'false', arp_proxy: 'x' };
    expect(carriesChange(change, { ...after, options, externalIds: {}, addresses: [] })).toBe(true);
  });

  test('cannot be told where somebody has written what is ours since', () => {
    for (const key of OPTION_KEYS) {
      const { [key]: _off, ...options } = after.options as Record<string, string>;
      expect(carriesChange(change, { ...after, options })).toBe(false);
      expect(carriesChange(change, { ...after, options: { ...after.options, [key]: 'x' } })).toBe(false);
    }
  });

  test('of another port says nothing', () => {
    expect(carriesChange(change, { ...after, uuid: '22222222-2222-4222-8222-222222222222' })).toBe(false);
  });

  test('cannot be told of a release, which leaves nothing that tells it from another function’s', () => {
    const release = changeFor(isDual, wantNone, setup)!;
    expect(carriesChange(release, port())).toBe(false);
  });
});

test('a port is bound for a migration by a whole record of it and a chassis: a strip leaves the record', () => {
  expect(isBoundFor(VMIM_UID, isPinned)).toBe(true);
  expect(isBoundFor(VMIM_UID, changeFor(port(), wantDual, setup)!)).toBe(true);
  expect(isBoundFor('another', isPinned)).toBe(false);
  expect(isBoundFor(VMIM_UID, port({ options: ARMED }))).toBe(false);
  expect(isBoundFor(VMIM_UID, port({ record: PINNED }))).toBe(false);
});

test('a port is dual by its two chassis, whatever else it says', () => {
  expect([isDual, isOpen, isPinned, port(), port({ record: DUAL })].map(isBoundToTwo)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('the port of a guest that is back on its source is pinned there in one write', () => {
  const failed = factsAt({ pods: [pod('source-running'), pod('target-03-running')] });
  expect(written(changeFor(isDual, desired(failed, DUAL), setup))).toBe('chassis-1');
});
