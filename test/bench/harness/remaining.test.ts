import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Remaining } from '../../../bench/harness/remaining.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('what is left is expected at first, and goes by the pace of what is done then', () => {
  const remaining = new Remaining([60_000, 60_000, 120_000]);
  expect(remaining.inWords()).toBe('step 1 of 3, about 4 min left');
  jest.advanceTimersByTime(90_000);
  remaining.oneDone();
  expect(remaining.inWords()).toBe('step 2 of 3, about 5 min left');
  jest.advanceTimersByTime(30_000);
  remaining.oneDone();
  expect(remaining.inWords()).toBe('step 3 of 3, about 2 min left');
});
