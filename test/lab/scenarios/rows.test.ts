import { describe, expect, test } from '@jest/globals';
import type { Ending } from '../../../lab/scenarios/ending.ts';
import { type BindingRow, type PortRows, wrongWith } from '../../../lab/scenarios/rows.ts';

const binding: BindingRow = {
  chassis: ['chassis-1'],
  additionalChassis: [],
  requestedChassis: [],
  requestedAdditionalChassis: [],
  activated: undefined,
  up: true,
};
const before: PortRows = { options: { qos: '1' }, externalIds: { pod: 'prod/vm01' }, others: '[]', binding };
const record = {
  'handover-vmi': 'vmi',
  'handover-migration': 'vmim',
  'handover-binding': 'pinned',
  'handover-source': 'node1',
  'handover-target': 'node2',
  'handover-since': '2026-11-24T08:00:00.000Z',
};
const pinned: PortRows = {
  ...before,
  options: { qos: '1', 'requested-chassis': 'chassis-2', ...record },
  binding: { ...binding, chassis: ['chassis-2'], requestedChassis: ['chassis-2'] },
};
const PINNED: Ending = { binding: 'pinned', node: 'node2', migration: 'vmim' };
const UNBOUND: Ending = { binding: 'unbound', node: 'node1' };

const wrong = (now: PortRows | undefined, ending: Ending) =>
  wrongWith(now, before, ending, { chassisOf: (node) => node.replace('node', 'chassis-'), vmi: 'vmi' });
const on = (change: Partial<PortRows>): PortRows => ({ ...pinned, ...change });
const inSouthbound = (change: Partial<BindingRow>) => on({ binding: { ...pinned.binding!, ...change } });
const recorded = (change: object) => on({ options: { ...pinned.options, ...change } });

test('nothing is wrong with what is right', () => {
  expect(wrong(pinned, PINNED)).toEqual([]);
  expect(wrong(before, UNBOUND)).toEqual([]);
  expect(wrong({ ...before, binding: { ...binding, chassis: [], up: false } }, { binding: 'unbound' })).toEqual([]);
  expect(wrong(undefined, { binding: 'no port' })).toEqual([]);
});

describe('of a port that should be pinned, it is told when', () => {
  test.each<[string, PortRows | undefined]>([
    ['it is gone', undefined],
    ['it is bound elsewhere', on({ options: { ...pinned.options, 'requested-chassis': 'chassis-1' } })],
    ['it is still held closed', on({ options: { ...pinned.options, 'activation-strategy': 'rarp' } })],
    ["somebody's option is gone", on({ options: { 'requested-chassis': 'chassis-2', ...record } })],
    ["somebody's key is gone", on({ externalIds: {} })],
    ['a key of ours is where Kube-OVN wipes it', on({ externalIds: { ...pinned.externalIds, ...record } })],
    ['another column has changed', on({ others: '["type","router"]' })],
    ['its record is gone', on({ options: { qos: '1', 'requested-chassis': 'chassis-2' } })],
    ['its record is of another VMI', recorded({ 'handover-vmi': 'another' })],
    ['its record is of another migration', recorded({ 'handover-migration': 'another' })],
    ['its record still says dual', recorded({ 'handover-binding': 'dual' })],
    ['its record has a key too many', recorded({ 'handover-more': '1' })],
    ['it is claimed elsewhere', inSouthbound({ chassis: ['chassis-1'] })],
    ['it is claimed by another chassis too', inSouthbound({ additionalChassis: ['chassis-1'] })],
    ['another chassis is asked for too', inSouthbound({ requestedAdditionalChassis: ['chassis-1'] })],
    ['OVN has not heard of the binding', inSouthbound({ requestedChassis: [] })],
    ['OVN remembers who was opened', inSouthbound({ activated: 'chassis-2' })],
    ['it is down', inSouthbound({ up: false })],
  ])('%s', (_when, now) => {
    expect(wrong(now, PINNED)).toHaveLength(1);
  });
});

test('of a port that should be unbound, each trace is told', () => {
  expect(wrong(pinned, UNBOUND)).toHaveLength(4);
  expect(wrong({ ...before, binding: { ...binding, chassis: ['chassis-2'] } }, UNBOUND)).toHaveLength(1);
  expect(wrong(before, { binding: 'no port' })).toHaveLength(1);
});
