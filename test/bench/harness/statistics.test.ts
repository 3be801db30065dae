import { expect, test } from '@jest/globals';
import { holds } from '../../../bench/harness/benchmark.ts';
import { median, quantile, summarize } from '../../../bench/harness/statistics.ts';

test('a median lies between the two in the middle, and quantiles between their neighbours', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
  expect(median([])).toBeNaN();
});

test('a summary does not depend on the order, and leaves the values alone', () => {
  const values = [3, 1, 2];
  expect(summarize(values)).toEqual({ count: 3, min: 1, p25: 1.5, median: 2, p75: 2.5, p99: 2.98, max: 3 });
  expect(values).toEqual([3, 1, 2]);
});

test('a limit without a figure does not hold', () => {
  expect(holds({ what: 'ratio', value: 0.6, atMost: 0.6 })).toBe(true);
  expect(holds({ what: 'ratio', value: 19, atLeast: 20 })).toBe(false);
  expect(holds({ what: 'ratio', value: Number.NaN, atMost: 1 })).toBe(false);
});
