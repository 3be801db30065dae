import { expect, test } from '@jest/globals';
import { pingSamples } from '../../../lab/probe/samples.ts';

const SPAN = { from: 1000, to: 1100 };

test('every request of the span is there, sent one round trip before its answer came', () => {
  const answers = [
    { sequence: 1, at: 1012, rttMs: 2 },
    { sequence: 2, at: 1023, rttMs: 3 },
  ];
  expect(pingSamples({ answers, sent: 2, duplicates: 0 }, SPAN)).toEqual([
    [1010, 2],
    [1020, 3],
  ]);
});

test('requests without an answer lie evenly between their neighbours, also when the answers came out of order', () => {
  const answers = [
    { sequence: 5, at: 1055, rttMs: 5 },
    { sequence: 1, at: 1056, rttMs: 46 },
  ];
  expect(pingSamples({ answers, sent: 5, duplicates: 0 }, SPAN)).toEqual([
    [1010, 46],
    [1020, null],
    [1030, null],
    [1040, null],
    [1050, 5],
  ]);
});

test('silence that never ends is filled up to the end of the span', () => {
  const answers = [{ sequence: 1, at: 1022, rttMs: 2 }];
  expect(pingSamples({ answers, sent: 4, duplicates: 0 }, SPAN)).toEqual([
    [1020, 2],
    [1040, null],
    [1060, null],
    [1080, null],
  ]);
});

test('what was sent before or after the span is not there', () => {
  const answers = [
    { sequence: 1, at: 901, rttMs: 1 },
    { sequence: 2, at: 1051, rttMs: 1 },
    { sequence: 3, at: 1201, rttMs: 1 },
  ];
  expect(pingSamples({ answers, sent: 3, duplicates: 0 }, SPAN)).toEqual([[1050, 1]]);
});
