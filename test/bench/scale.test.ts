import { expect, test } from '@jest/globals';
import { holds } from '../../bench/harness/benchmark.ts';
import { type Cost, limitsOf } from '../../bench/scale.ts';

const SCANS = [{ step: 'enable-dual-chassis', nbCpuMs: 30, sbCpuMs: 20 }] as const;

const cost = (size: number, change: Partial<Cost> = {}): Cost => ({
  ...{ size, step: 'enable-dual-chassis', kind: 'warm', ms: 10, nbCpuMs: 1, sbCpuMs: 1, residentMb: 90 },
  ...change,
});

/** A cold and a warm event at either end of the sizes. */
function costs(largest: { cold?: Partial<Cost>; warm?: Partial<Cost> }): Cost[] {
  return [100, 100_000].flatMap((size) => {
    const { cold, warm } = size === 100 ? {} : largest;
    return [cost(size, { kind: 'cold', ms: 20, ...cold }), cost(size, warm)];
  });
}

const failed = (all: Cost[]) =>
  limitsOf(all, [100, 100_000], SCANS)
    .filter((limit) => !holds(limit))
    .map(({ what }) => what);

test('a cold event may take as long as the scans that its step is known to make', () => {
  expect(failed(costs({ cold: { ms: 90, nbCpuMs: 31, sbCpuMs: 41 } }))).toEqual([]);
});

test('one scan more is too much, of either database', () => {
  expect(failed(costs({ cold: { nbCpuMs: 61 } }))).toEqual(['enable-dual-chassis, cold: scans of NB']);
  expect(failed(costs({ cold: { sbCpuMs: 61 } }))).toEqual(['enable-dual-chassis, cold: scans of SB']);
});

test('a warm event that takes longer in a large database is too slow', () => {
  expect(failed(costs({ warm: { ms: 15.1 } }))).toEqual(['enable-dual-chassis, warm: time, x that at 100 ports']);
});

test('memory that grows with the database is too much', () => {
  const more = { residentMb: 96 };
  expect(failed(costs({ cold: more, warm: more }))).toEqual(["a function's memory, MB more than at 100 ports"]);
});
