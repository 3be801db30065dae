import { expect, test } from '@jest/globals';
import { Memory } from '../../handover/memory.ts';

test('a memory that is full forgets what was remembered longest ago', () => {
  const memory = new Memory<number>(2);
  memory.remember('a', 1);
  memory.remember('b', 2);
  memory.remember('a', 3);
  memory.remember('c', 4);
  expect(['a', 'b', 'c'].map((name) => memory.recall(name))).toEqual([3, undefined, 4]);
});
