import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import {
  bindingStory,
  brokenPromises,
  type MigrationResult,
  outageOfNetworkMs,
  type Report,
} from '../../../lab/migrate/result.ts';
import { printTable } from './table.ts';

const CLI = ['--conditions=ovn-handover-source', '--no-warnings', 'lab/cluster/cli.ts'];

/** Where figures stay. */
export const REPORTS = fileURLToPath(new URL('../../../lab/out/test-cluster', import.meta.url));

/**
 * `npm run cluster -- migrate`, which ends with an error where a promise was broken; the figures come all the same, and stay in
 * `lab/out/test-cluster` for `npm run lab -- report`.
 */
export async function migrate(...args: readonly string[]): Promise<readonly MigrationResult[]> {
  const { currentTestName = '' } = expect.getState();
  const file = join(REPORTS, `${currentTestName.slice(0, 60).replaceAll(/\W+/g, '-')}${args.join('')}.json`);
  await rm(file, { force: true });
  const command = [...CLI, 'migrate', '--json', file, ...args];
  const said = await promisify(execFile)(process.execPath, command, { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`migrate gave no figures:\n${said}`);
  });
  return (JSON.parse(text) as Report).migrations;
}

/** What a hand-over promises, held by each of them: silence below 500 ms beside the guest's blackout, and all else. */
export function expectHandedOver(migrations: readonly MigrationResult[]): void {
  expect(migrations.flatMap((one) => brokenPromises(one).map((promise) => `${one.migration}: ${promise}`))).toEqual([]);
}

export function printMigrations(title: string, migrations: readonly MigrationResult[]): void {
  const rows = migrations.map((result) => {
    const { from, to, guestBlackoutMs, functions, interfaces } = result;
    const [seen] = interfaces;
    const cold = Object.values(functions).flatMap(({ coldStarts }) => coldStarts);
    return [
      `${from} → ${to}`,
      `${Math.round(outageOfNetworkMs(seen, result))}`,
      ...[seen.outageMs, guestBlackoutMs ?? '–', seen.lostPings, seen.tcpMaxStallMs, marginMs(result) ?? '–'].map(
        String,
      ),
      `${cold.length}`,
      bindingStory(seen).join(' → '),
    ];
  });
  printTable(title, [
    [
      ...['', 'silence of the network ms', 'silence ms', 'blackout ms', 'lost pings', 'TCP stall ms'],
      ...['dual before switch ms', 'cold starts', 'binding'],
    ],
    ...rows,
  ]);
}

/** From both claims to the switch. */
export function marginMs({ interfaces: [seen], switchedAtMs }: MigrationResult): number | undefined {
  const dual = seen.claims.find(({ additionalChassis }) => additionalChassis.length > 0);
  return dual && switchedAtMs !== undefined ? switchedAtMs - dual.atMs : undefined;
}
