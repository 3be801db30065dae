import { expect, test } from '@jest/globals';
import { Memory } from '../../../handover/ovn/bounded-map.ts';

test('a memory that is full forgets what was remembered longest ago', () => {
  const memory = new Memory<number>(2);
  memory.remember('a', 1);
  memory.remember('b', 2);
  memory.remember('a', 3);
  memory.remember('c', 4);
  expect(['a', 'b', 'c'].map((name) => memory.recall(name))).toEqual([3, undefined, 4]);
  memory.remember('c', 5);
  expect(['a', 'c'].map((name) => memory.recall(name))).toEqual([3, 5]);
});

test('a memory has room for ten thousand unless told otherwise', () => {
  const memory = new Memory<number>();
  for (let number = 0; number < 10_000; number++) memory.remember(String(number), number);
  expect(memory.recall('0')).toBe(0);
  memory.remember('10000', 10_000);
  expect(['0', '1', '10000'].map((name) => memory.recall(name))).toEqual([undefined, 1, 10_000]);
});
