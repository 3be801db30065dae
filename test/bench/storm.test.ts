import { expect, test } from '@jest/globals';
import type { Delivery } from '../../bench/cloud/cloud.ts';
import { dualAfterEvent, waitsOf } from '../../bench/storm.ts';

const vm = { target: 'target', migration: 'move' } as never;
const migration = { started: 0, ungated: 100, scheduled: 200, dual: 700, switched: 900, pinned: 1_000 };

const delivery = (sentAt: number, change: Partial<Delivery> = {}): Delivery => ({
  step: 'enable-dual-chassis',
  object: 'target',
  sentAt,
  event: '',
  statuses: [204],
  ...change,
});

test('each wait runs from what KubeVirt wrote', () => {
  expect(waitsOf(migration)).toEqual({ ungated: 100, dual: 500, pinned: 100 });
});

test('the time to dual runs from the first event that came once the node was known, whichever object it tells of', () => {
  const early = delivery(150);
  expect(dualAfterEvent(migration, vm, [delivery(600), early, delivery(400, { object: 'move' })])).toBe(300);
});

test('events for other functions and of other VMs do not count', () => {
  const others = [delivery(300, { step: 'reuse-port' }), delivery(300, { object: 'target-of-another' })];
  expect(dualAfterEvent(migration, vm, [...others, delivery(650)])).toBe(50);
});

test('a port that was dual before the event came did not wait for it', () => {
  expect(dualAfterEvent(migration, vm, [delivery(150), delivery(800)])).toBe(0);
});
