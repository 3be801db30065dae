import { expect, it } from '@jest/globals';
import { millisecondsOf } from '../../src/index.ts';
import { schedule } from '../../src/manifests/schedule.ts';

const problem = (value: unknown) => schedule(value, '')[0]?.what;

it.each([
  '*/10 * * * *',
  '30 */10 * * * *',
  '0 0 1,15 * mon-FRI',
  '? ? ? JAN ?',
  '5/15 0-23/2 * * 0',
  '@hourly',
  '  0  0 * *  6 ',
])('takes the schedule %s', (text) => {
  expect(problem(text)).toBeUndefined();
});

it.each([
  ['* * * *', /5 fields, or 6.*has 4/],
  ['* * * * * * *', /has 7/],
  ['', /has 0/],
  ['60 * * * *', /has "60" for a minute/],
  ['* 24 * * *', /has "24" for a hour/],
  ['* * 0 * *', /has "0" for a day of the month/],
  ['* * * 13 *', /has "13" for a month/],
  ['* * * * 7', /has "7" for a day of the week; must be \*, or from 0 to 6/],
  ['* * * * L', /has "L"/],
  ['*/0 * * * *', /has "\*\/0"/],
  ['5-1 * * * *', /has "5-1"/],
  ['1-2-3 * * * *', /has "1-2-3"/],
  ['1/2/3 * * * *', /has "1\/2\/3"/],
  ['a-b * * * *', /has "a-b"/],
  ['1,,2 * * * *', /has ""/],
  ['1- * * * *', /has "1-"/],
  ['@every 1m', /is @every 1m; must be @yearly/],
  ['TZ=UTC * * * * *', /that is what timezone is for/],
  [7, /must be a text/],
])('does not take %s', (text, what) => {
  expect(problem(text)).toMatch(what);
});

it.each([
  ['PT0.2S', 200],
  ['PT1M', 60_000],
  ['P1DT1H', 90_000_000],
  ['P2W', 1_209_600_000],
  ['PT1,5S', 1500],
  ['P0D', 0],
  ['P1Y', 31_556_952_000],
])('reads the duration %s', (text, milliseconds) => {
  expect(millisecondsOf(text)).toBe(milliseconds);
});

it.each(['', 'P', 'PT', 'P1DT', '1S', 'PT1', 'T1S', 'PT1.5M1S', 'PT1S1M', 'P1H', 'PT-1S', ' PT1S', 'PT1S\n', 'PT.5S'])(
  'takes %j for no duration',
  (text) => {
    expect(millisecondsOf(text)).toBeUndefined();
  },
);
