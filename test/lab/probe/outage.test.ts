import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Answer, longestSilence, lostAnswers } from '../../../lab/probe/outage.ts';

const answers = (...pairs: [sequence: number, at: number][]): Answer[] =>
  pairs.map(([sequence, at]) => ({ sequence, at }));

describe('the longest silence', () => {
  test('is the widest gap between two answers', () => {
    const seen = answers([1, 5], [2, 10], [3, 210], [4, 215]);
    expect(longestSilence(seen, { from: 0, to: 220 })).toEqual({ from: 10, to: 210, ms: 200 });
  });

  test('counts up to the end when the last answer never comes', () => {
    expect(longestSilence(answers([1, 5]), { from: 0, to: 1000 })).toEqual({ from: 5, to: 1000, ms: 995 });
  });

  test('is the whole span when nobody ever answers', () => {
    expect(longestSilence([], { from: 100, to: 400 })).toEqual({ from: 100, to: 400, ms: 300 });
  });

  test('takes no notice of what came before or after the span', () => {
    const seen = answers([1, 0], [2, 900], [3, 905], [4, 910], [5, 5000]);
    expect(longestSilence(seen, { from: 898, to: 912 }).ms).toBe(5);
  });

  test('does not depend on the order of the answers', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), (moments) => {
        const span = { from: 0, to: 1000 };
        const seen = moments.map((at, index) => ({ sequence: index + 1, at }));
        expect(longestSilence(seen.toReversed(), span)).toEqual(longestSilence(seen, span));
      }),
    );
  });

  test('is never shorter than the span divided by the number of gaps', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 999 })), (moments) => {
        const seen = moments.map((at, index) => ({ sequence: index + 1, at }));
        expect(longestSilence(seen, { from: 0, to: 1000 }).ms).toBeGreaterThanOrEqual(1000 / (moments.length + 1));
      }),
    );
  });
});

describe('lost answers', () => {
  test('are the sequence numbers that are missing in the span', () => {
    const seen = answers([1, 5], [2, 10], [6, 30], [7, 35], [9, 45]);
    expect(lostAnswers(seen, 9, { from: 0, to: 50 })).toBe(4);
    expect(lostAnswers(seen, 9, { from: 10, to: 30 })).toBe(3);
  });

  test('include those at the end that never came', () => {
    expect(lostAnswers(answers([1, 5], [2, 10]), 20, { from: 0, to: 100 })).toBe(18);
  });

  test('do not count an answer that came late, after a later one', () => {
    expect(lostAnswers(answers([1, 5], [3, 15], [2, 16], [4, 20]), 4, { from: 0, to: 30 })).toBe(0);
  });
});
