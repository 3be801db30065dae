import { expect, test } from '@jest/globals';
import { growth } from '../../bench/soak.ts';

const samples = (memory: readonly number[]) =>
  memory.map((residentMb) => ({ step: 'reconcile', residentMb, handles: 20 }));

test('what a start takes does not count as growth', () => {
  const memory = [...Array(10).fill(50), ...Array(90).fill(100)];
  expect(growth(samples(memory), 'residentMb')).toBe(1);
  expect(growth(samples(memory), 'handles')).toBe(1);
});

test('a leak does, and a single peak does not', () => {
  const leak = Array.from({ length: 100 }, (_, n) => 100 + n);
  expect(growth(samples(leak), 'residentMb')).toBeCloseTo(194.5 / 114.5);
  expect(growth(samples(Array(100).fill(100).with(99, 900)), 'residentMb')).toBe(1);
});
