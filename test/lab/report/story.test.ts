import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { MigrationResult, Report } from '../../../lab/migrate/result.ts';
import {
  type Band,
  bindingBands,
  gateBands,
  guestBands,
  isAtSwitch,
  measured,
  openedAt,
  targetBands,
  typical,
  worstInterface,
} from '../../../lab/report/story.ts';

async function recorded(mode: string): Promise<Report> {
  return JSON.parse(
    await readFile(new URL(`../../../testkit/fixtures/results/${mode}.json`, import.meta.url), 'utf8'),
  ) as Report;
}

const tones = (bands: readonly Band[]) => bands.map(({ tone }) => tone);

describe('a recorded hand-over', () => {
  test('is unbound, pinned to the source, dual, pinned to the target, and unbound again', async () => {
    const [first] = (await recorded('handover')).migrations;
    expect(tones(bindingBands(first!.interfaces[0]))).toEqual(['unbound', 'source', 'dual', 'target', 'unbound']);
  });

  test('has a target that is held closed until the RARP opens it', async () => {
    const [
      {
        interfaces: [one],
      },
    ] = (await recorded('handover')).migrations as [MigrationResult];
    const bands = targetBands(one);
    expect(tones(bands).slice(0, 3)).toEqual(['unbound', 'held', 'target']);
    expect(bands.find(({ tone }) => tone === 'target')?.from).toBe(openedAt(one));
  });

  test('has a guest that runs nowhere for as long as QEMU says', async () => {
    const [first] = (await recorded('handover')).migrations;
    const [source, nowhere, target] = guestBands(first!);
    expect(nowhere!.to - nowhere!.from).toBe(first!.guestBlackoutMs);
    expect([source!.tone, target!.tone]).toEqual(['source', 'target']);
  });
});

test('where both chassis are open nothing is held', async () => {
  for (const {
    interfaces: [one],
  } of (await recorded('floor')).migrations) {
    expect(tones(targetBands(one))).not.toContain('held');
    expect(openedAt(one)).toBeUndefined();
  }
});

test.each(['handover', 'floor', 'single'])(
  'bands of %s fill what was measured, no gap and no overlap',
  async (mode) => {
    for (const migration of (await recorded(mode)).migrations) {
      const [one] = migration.interfaces;
      const { from, to } = measured(one);
      for (const bands of [bindingBands(one), targetBands(one), guestBands(migration)]) {
        expect([bands[0]!.from, bands.at(-1)!.to]).toEqual([from, to]);
        for (const [index, band] of bands.slice(1).entries()) expect(band.from).toBe(bands[index]!.to);
      }
    }
  },
);

test('the migration shown is the one with the median outage, by its worst interface', async () => {
  const report = await recorded('handover');
  const [
    {
      interfaces: [one],
      ...rest
    },
  ] = report.migrations as [MigrationResult];
  const migration = (...outages: [number, ...number[]]): MigrationResult => {
    const [first, ...others] = outages.map((outageMs) => ({ ...one, outageMs }));
    return { ...rest, interfaces: [first!, ...others] };
  };
  const migrations = [migration(100, 900), migration(100), migration(300, 200)];
  const shown = typical({ ...report, migrations })!;
  expect(shown).toBe(migrations[2]);
  expect(worstInterface(shown).outageMs).toBe(300);
});

test('the gates of a target pod are told by name until the last is off, and the silence of another moment is no switch', async () => {
  const [gated] = (await recorded('handover-gated')).migrations;
  expect(gateBands(gated!).map(({ tone, labels: [label] }) => [tone, label])).toEqual([
    ['held', 'held by port and dual'],
    ['held', 'held by dual'],
    ['target', 'may go to its node'],
  ]);
  expect(isAtSwitch(gated!, { before: 150, after: 300 })).toBe(false);
  const [other] = (await recorded('handover')).migrations;
  expect(gateBands(other!)).toEqual([]);
  expect(isAtSwitch(other!, { before: 150, after: 300 })).toBe(true);
});
