/** A newer OVN than the machine's own: a whole migration, and what it makes of each activation strategy. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { brokenPromises } from '../../../lab/migrate/result.ts';
import { runMigrations } from '../../../lab/migrate/run.ts';
import { isForeseen, strategyMatrix } from '../../../lab/strategies/matrix.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

jest.setTimeout(400_000);

let directory: string;
let testbed: Testbed;

beforeAll(async () => {
  const build = spawnSync(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
  directory = await mkdtemp(join(tmpdir(), 'handover-'));
  testbed = await startTestbed({ directory, prefix: 'suitetest', ovn: 'trixie' });
});

afterAll(async () => {
  await testbed?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('a migration on the OVN of Debian trixie keeps every promise, and nothing of that is mounted on the machine', async () => {
  const report = await runMigrations({
    testbed,
    mode: 'handover',
    migrations: 1,
    eventDelayMs: 0,
    paceMs: 5_000,
    idleMs: 10_000,
    gate: true,
    onProgress() {},
    onMigration() {},
  });
  expect(report.versions.ovn).toBe('ovn-controller 25.03.0');
  expect(report.migrations.flatMap(brokenPromises)).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('ovn-trixie');
});

test('each activation strategy holds and opens just the ports that the functions arm', async () => {
  const cells = await strategyMatrix(testbed, () => {});
  expect(cells.filter((cell) => !isForeseen(cell))).toEqual([]);
  const armed = cells.filter(({ rejected }) => rejected === undefined);
  expect(new Set(armed.map(({ strategy, openedBy }) => `${strategy}: ${openedBy}`))).toEqual(new Set(['rarp: rarp']));
  expect(new Set(cells.map(({ addresses }) => addresses)).size).toBe(armed.length);
});
