/** Live migrations of a real KubeVirt over real OVN, with the functions as they are deployed. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ClusterDescription } from '../../lab/cluster/description.ts';
import { kubectlIn } from '../../lab/cluster/kubectl.ts';
import { standingCluster } from '../../lab/cluster/standing.ts';
import { bindingStory, type MigrationResult, type Report } from '../../lab/migrate/result.ts';
import { printTable } from './support/table.ts';

const START_WITHIN_MS = 3_600_000;
const CLI = ['--conditions=source', '--no-warnings', 'lab/cluster/cli.ts'];

jest.setTimeout(1_200_000);

let standing: Awaited<ReturnType<typeof standingCluster>>;
let cluster: ClusterDescription;
let folder: string;

beforeAll(async () => {
  standing = await standingCluster(1, () => {});
  cluster = standing.cluster;
  folder = await mkdtemp(join(tmpdir(), 'real-migration-'));
}, START_WITHIN_MS);
afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
  await standing?.[Symbol.asyncDispose]();
});

/** `npm run cluster -- migrate`, which ends with an error where a promise was broken; the figures come all the same. */
async function migrate(...args: readonly string[]): Promise<readonly MigrationResult[]> {
  const file = join(folder, 'report.json');
  await promisify(execFile)(process.execPath, [...CLI, 'migrate', '--json', file, ...args]).catch(() => {});
  const { migrations } = JSON.parse(await readFile(file, 'utf8')) as Report;
  await rm(file);
  return migrations;
}

function print(title: string, migrations: readonly MigrationResult[]): void {
  const rows = migrations.map(({ from, to, interfaces: [seen], switchedAtMs, guestBlackoutMs }) => {
    const dual = seen.claims.find(({ additionalChassis }) => additionalChassis.length > 0);
    const margin = dual && switchedAtMs !== undefined ? `${switchedAtMs - dual.atMs}` : '–';
    const figures = [seen.outageMs, guestBlackoutMs, seen.lostPings, seen.tcpMaxStallMs].map(String);
    return [`${from} → ${to}`, ...figures, margin, bindingStory(seen).join(' → ')];
  });
  printTable(title, [
    ['', 'silence ms', 'blackout ms', 'lost pings', 'TCP stall ms', 'dual before switch ms', 'binding'],
    ...rows,
  ]);
}

/** Without the silence, which on a machine that others use too is not the network's alone: it is printed. */
function expectHandedOver(migrations: readonly MigrationResult[]): void {
  for (const { phase, guest, interfaces } of migrations) {
    expect({ phase, guest }).toEqual({ phase: 'Succeeded', guest: 'running' });
    for (const seen of interfaces) {
      expect(seen).toMatchObject({ tcpBroken: false, activatedByRarp: true, stolenClaims: 0 });
      expect(bindingStory(seen)).toEqual(expect.arrayContaining(['pinned', 'dual']));
    }
  }
}

async function warningsOnVmis(): Promise<string[]> {
  const list = await kubectlIn(cluster, '-n', 'prod', 'get', 'events', '-o', 'json');
  const { items } = JSON.parse(list) as { items: { type: string; reportingComponent?: string; message: string }[] };
  const ours = items.filter(
    ({ type, reportingComponent }) => type === 'Warning' && /ovn/.test(reportingComponent ?? ''),
  );
  return ours.map(({ message }) => message);
}

test('a first migration with all functions at zero breaks no connection, and the target opens itself', async () => {
  const migrations = await migrate('--cold');
  print('Cold, port never bound', migrations);
  expectHandedOver(migrations);
  expect(await warningsOnVmis()).toEqual([]);
});

test('migrations there and back with warm functions break no connection', async () => {
  const migrations = await migrate('--migrations', '4');
  print('Warm', migrations);
  expect(migrations).toHaveLength(4);
  expectHandedOver(migrations);
  expect(await warningsOnVmis()).toEqual([]);
});

test('a migration that is cancelled while memory is copied leaves the VM where it was, with its network', async () => {
  const [cancelled] = await migrate('--cancel-at', 'Running');
  const [seen] = cancelled!.interfaces;
  print('Cancelled', [cancelled!]);
  expect(cancelled!.guest).toBe('running');
  expect(seen.tcpBroken).toBe(false);
  // KubeVirt may have switched already when it hears of it.
  const { nodeName } = await vmi();
  const chassis = cluster.testbed.chassis.find(({ node }) => node === nodeName)!.name;
  expect(seen.claims.at(-1)!.chassis).toBe(chassis);
});

async function vmi(): Promise<{ nodeName: string }> {
  const seen = await kubectlIn(cluster, '-n', 'prod', 'get', 'vmi', 'web-01', '-o', 'json');
  return (JSON.parse(seen) as { status: { nodeName: string } }).status;
}
