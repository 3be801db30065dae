import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { MigrationResult, Report } from '../../../lab/migrate/result.ts';
import { loadInWords, verdictOn } from '../../../lab/migrate/verdict.ts';

const FIXTURE = 'testkit/fixtures/results/handover-gated.json';
const recorded = JSON.parse(await readFile(FIXTURE, 'utf8')) as Report;

function verdict(changes: Partial<MigrationResult>, outageMs?: number) {
  const [{ interfaces, ...rest }] = recorded.migrations as [MigrationResult];
  const [one] = interfaces;
  const changed = { ...rest, interfaces: [{ ...one, ...(outageMs !== undefined && { outageMs }) }], ...changes };
  return verdictOn({ ...recorded, migrations: [changed as MigrationResult] });
}

test('a recorded hand-over on a busy machine passes, since its times are within what is promised', () => {
  expect(verdict({})).toMatchObject({ word: 'PASSED' });
});

test('a silence that is too long fails on a quiet machine, and is not judged on one that others have', () => {
  expect(verdict({ machineBusy: 0.5 }, 700)).toMatchObject({ word: 'FAILED' });
  const { word, lines } = verdict({ machineBusy: 1 }, 700);
  expect(word).toBe('UNMEASURED');
  expect(lines[0]).toMatch(/web-01\.prod: ping was out for 700 ms/);
  expect(lines[1]).toMatch(/too busy to measure/);
});

test('what is no matter of time fails on any machine', () => {
  const { word, lines } = verdict({ machineBusy: 1, phase: 'Failed' }, 700);
  expect(word).toBe('FAILED');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/KubeVirt left it as Failed/);
});

test('a result of before the load was measured is judged as on a quiet machine', () => {
  const { machineBusy: _, ...older } = recorded.migrations[0]!;
  const report = { ...recorded, migrations: [{ ...older, guest: 'hung' as const }] };
  expect(verdictOn(report)).toMatchObject({ word: 'FAILED' });
});

test('the line on the load says so where others have the machine', () => {
  expect(loadInWords(0.34)).toBe("the machine's cores were 34 % busy in the quiet seconds around it");
  expect(loadInWords(1)).toMatch(/100 % busy .* others have them/);
});
