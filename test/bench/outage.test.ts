import { expect, test } from '@jest/globals';
import { holds } from '../../bench/harness/benchmark.ts';
import { limits, Results, turns } from '../../bench/outage.ts';
import type { MigrationResult, Mode } from '../../lab/migrate/result.ts';

const story = [undefined, 'chassis-1', 'chassis-1,chassis-2', 'chassis-2', undefined];
const bindings = story.map((requestedChassis) => ({
  ...{ atMs: 0, requestedChassis, record: {} },
  activationStrategy: requestedChassis?.includes(',') ? 'rarp' : undefined,
}));

function migration(mode: Mode, outageMs: number, guestBlackoutMs?: number): MigrationResult {
  const calm = { port: 'web-01.prod', outageMs, tcpMaxStallMs: outageMs, tcpBroken: false, activatedByRarp: true };
  const rest = { sentPings: 1, lostPings: 0, stolenClaims: 0, outageAtMs: 0, bindings, claims: [], pings: [] };
  const interfaces = [{ ...calm, ...rest }];
  return {
    mode,
    migration: 'move',
    phase: 'Succeeded',
    guestBlackoutMs,
    guest: 'running',
    interfaces,
    commits: 4,
    warnings: [],
  } as never;
}

/** Outages in pairs with the guest's own blackout, which is 100 ms in each. */
function results(outages: { handover: number[]; earlier?: number[]; floor: number[]; single: number[] }): Results {
  const all = new Results();
  const add = (mode: Mode, delayMs: number, values: readonly number[]) =>
    all.add({ mode, delayMs }, { versions: {}, migrations: values.map((ms) => migration(mode, ms, 100)) } as never);
  add('handover', 5_000, outages.handover);
  for (const delayMs of [0, 500, 2_000]) add('handover', delayMs, outages.earlier ?? outages.handover);
  add('floor', 0, outages.floor);
  add('single', 5_000, outages.single);
  return all;
}

const failed = (all: Results) =>
  limits(all)
    .filter((limit) => !holds(limit))
    .map(({ what }) => what);
const good = { handover: [160, 150, 180], floor: [155, 150, 160], single: [6_000] };

test('five rounds are 30 hand-overs at each delay, 30 floors, and single at every delay, in turns', () => {
  const rounds = [0, 1, 2, 3, 4].map(turns);
  const plan = rounds.flat();
  const of = (mode: Mode, delayMs: number) =>
    plan
      .filter((turn) => turn.mode === mode && turn.delayMs === delayMs)
      .reduce((sum, { migrations }) => sum + migrations, 0);
  expect(of('floor', 0)).toBe(30);
  expect([0, 500, 2_000, 5_000].map((delayMs) => of('handover', delayMs))).toEqual([30, 30, 30, 30]);
  expect([0, 500, 2_000, 5_000].map((delayMs) => of('single', delayMs))).toEqual([2, 2, 2, 4]);
  // None is always the one that comes first.
  expect(new Set(rounds.map(([first]) => `${first?.mode} ${first?.delayMs}`)).size).toBe(5);
});

test('the outage counts without what the guest itself stood still', () => {
  const all = results(good);
  expect(all.net({ mode: 'handover', delayMs: 5_000 })).toEqual([60, 50, 80]);
  all.add({ mode: 'floor', delayMs: 0 }, { versions: {}, migrations: [migration('floor', 170)] } as never);
  expect(all.outages({ mode: 'floor', delayMs: 0 })).toEqual([155, 150, 160, 170]);
  // Of the last one the blackout is not known.
  expect(all.net({ mode: 'floor', delayMs: 0 })).toEqual([55, 50, 60]);
});

test('what is as it should be passes', () => {
  expect(failed(results(good))).toEqual([]);
});

test.each([
  [
    'a median 11 ms above floor',
    { ...good, handover: [166, 166, 166] },
    ['handover above floor, events 5 s late, net median, ms'],
  ],
  [
    'a worst 51 ms above floor',
    { ...good, handover: [160, 150, 211] },
    ['handover above floor, events 5 s late, net worst, ms'],
  ],
  [
    'a single that loses only 19 times as much',
    { ...good, single: [19 * 160] },
    ['single, x handover, events 5 s late, median'],
  ],
  [
    'a delay that changes the median by 11 ms',
    { ...good, earlier: [149, 149, 149] },
    ['between the delays of handover, net medians, ms'],
  ],
])('%s does not', (_what, outages, expected) => {
  expect(failed(results(outages))).toEqual(expected);
});

test('an outage of more than half a second beside the guest’s own blackout breaks the promise, however late no event was', () => {
  const what = failed(results({ ...good, earlier: [160, 150, 601] }));
  expect(what).toContain('worst handover of all, ms');
  expect(what).toEqual([expect.anything(), expect.stringMatching(/^promises broken by hand-overs \(.*601 ms/)]);
});
