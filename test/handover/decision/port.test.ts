import { describe, expect, test } from '@jest/globals';
import type { Desired } from '../../../handover/decision/desired.ts';
import { changeFor, isMade } from '../../../handover/decision/port.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import { DUAL, PINNED, port, SINCE } from '../support/ports.ts';

const NOW = new Date('2026-08-20T10:00:02.345Z');
const setup = {
  chassis: new Map([
    ['worker-a', 'chassis-1'],
    ['worker-b', 'chassis-2'],
  ]),
  activationStrategy: 'rarp',
  now: NOW,
};
const wantPinned: Desired = { rule: '3d', step: 'reuse-port', binding: 'pinned', node: 'worker-a', record: PINNED };
const wantDual: Desired = {
  rule: '3b',
  step: 'enable-dual-chassis',
  binding: 'dual',
  source: 'worker-a',
  target: 'worker-b',
  record: DUAL,
};
const wantNone: Desired = { rule: '2', step: 'release-port', binding: 'unbound' };
const isPinned = port({ options: { 'requested-chassis': 'chassis-1' }, record: PINNED });
const isDual = port({
  options: { 'requested-chassis': 'chassis-1,chassis-2', 'activation-strategy': 'rarp' },
  record: DUAL,
});

describe('the change that a port needs', () => {
  test("pinned: one chassis, by its name and not the node's, and no activation strategy", () => {
    const change = changeFor(isDual, wantPinned, setup);
    expect(change?.options).toEqual({ 'requested-chassis': 'chassis-1' });
    expect(change?.externalIds).toMatchObject({ 'handover-binding': 'pinned', 'handover-source': 'worker-a' });
    expect(change?.externalIds).not.toHaveProperty('handover-target');
  });

  test('dual: the source first, for the first is the main chassis, and closed until the RARP', () => {
    const change = changeFor(isPinned, wantDual, setup);
    expect(change?.options).toEqual({ 'requested-chassis': 'chassis-1,chassis-2', 'activation-strategy': 'rarp' });
    expect(change?.externalIds).toEqual(recordEntries(DUAL, NOW));
  });

  test('unbound: nothing of ours is left', () => {
    expect(changeFor(isDual, wantNone, setup)).toMatchObject({ options: {}, externalIds: {} });
  });

  test('none where the port has it already, however long since', () => {
    expect(changeFor(isPinned, wantPinned, setup)).toBeUndefined();
    expect(changeFor(isDual, wantDual, setup)).toBeUndefined();
    expect(changeFor(port(), wantNone, setup)).toBeUndefined();
    expect(changeFor(port(), { rule: '5', binding: 'leave' }, setup)).toBeUndefined();
  });

  test.each([
    [
      'a dual binding that lost its strategy and stands open',
      isDual,
      wantDual,
      { 'requested-chassis': 'chassis-1,chassis-2' },
    ],
    [
      'a pinned one that kept the strategy',
      isPinned,
      wantPinned,
      { 'requested-chassis': 'chassis-1', 'activation-strategy': 'rarp' },
    ],
    [
      'chassis in the wrong order',
      isDual,
      wantDual,
      { 'requested-chassis': 'chassis-2,chassis-1', 'activation-strategy': 'rarp' },
    ],
    ['a hostname in place of the chassis name', isPinned, wantPinned, { 'requested-chassis': 'worker-a' }],
    ['a binding that somebody removed', isPinned, wantPinned, {}],
  ])('repairs %s', (_what, before, wanted, options) => {
    expect(changeFor({ ...before, options }, wanted, setup)).toBeDefined();
  });

  test.each([
    ['of another migration', { ...PINNED, migration: 'another' }],
    ['of an earlier VMI', { ...PINNED, vmi: 'earlier' }],
    ['with another source', { ...PINNED, source: 'worker-c' }],
    ['with a target that is no more', { ...PINNED, target: 'worker-b' }],
  ])('renews a record %s though the binding is right', (_what, record) => {
    expect(changeFor(port({ options: isPinned.options, record }), wantPinned, setup)).toBeDefined();
  });

  test('clears away what is left of a record that is not whole', () => {
    const rest = port({ externalIds: { pod: 'prod/web-01', 'handover-since': SINCE.toISOString() } });
    expect(changeFor(rest, wantNone, setup)).toMatchObject({ externalIds: {} });
  });
});

test('a port that is to be left alone is left alone, whatever is on it', () => {
  for (const before of [isPinned, isDual]) {
    expect(changeFor(before, { rule: '3c', binding: 'leave' }, setup)).toBeUndefined();
  }
});

describe('whether a change counted after all', () => {
  const change = changeFor(isPinned, wantDual, setup)!;
  const after = { ...isDual, externalIds: { ...isDual.externalIds, ...change.externalIds } };

  test('is told by the time in the record', () => {
    expect(isMade(change, after)).toBe(true);
    expect(isMade(change, isPinned)).toBe(false);
    expect(isMade(change, isDual)).toBe(false);
  });

  test('of another port says nothing', () => {
    expect(isMade(change, { ...after, uuid: '22222222-2222-4222-8222-222222222222' })).toBe(false);
  });
});
