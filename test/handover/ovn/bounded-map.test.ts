import { expect, test } from '@jest/globals';
import { BoundedMap } from '../../../handover/ovn/bounded-map.ts';

test('a map that is full forgets what was set longest ago', () => {
  const map = new BoundedMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(['a', 'b', 'c'].map((name) => map.get(name))).toEqual([3, undefined, 4]);
  map.set('c', 5);
  expect(['a', 'c'].map((name) => map.get(name))).toEqual([3, 5]);
});

test('a map has room for ten thousand unless told otherwise', () => {
  const map = new BoundedMap<number>();
  for (let number = 0; number < 10_000; number++) map.set(String(number), number);
  expect(map.get('0')).toBe(0);
  map.set('10000', 10_000);
  expect(['0', '1', '10000'].map((name) => map.get(name))).toEqual([undefined, 1, 10_000]);
});

test('a value that is deleted is gone, and makes room', () => {
  const map = new BoundedMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.delete('b');
  map.delete('nobody');
  map.set('c', 3);
  expect(['a', 'b', 'c'].map((name) => map.get(name))).toEqual([1, undefined, 3]);
});
