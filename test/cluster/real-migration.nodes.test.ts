/** Live migrations of a real KubeVirt over real OVN, with the functions as they are deployed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { functionsAreCold } from '../../lab/cluster/migrate/functions.ts';
import { bindingStory } from '../../lab/migrate/result.ts';
import { expectHandedOver, marginMs, migrate, printMigrations } from './support/cli-migrations.ts';
import { kubectlOfFunctions, useCluster, warnings, withShortStableWindow } from './support/nodes.ts';
import { printTable } from './support/table.ts';
import { WatchedMigration } from './support/watched-migration.ts';

const HELD_MS = 60_000;
const GATES = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'];

jest.setTimeout(1_200_000);

const used = useCluster({ vms: 3 });

test('three first migrations, each with all functions at zero, keep what is promised', async () => {
  const migrations = await withShortStableWindow(used, async () => {
    const all = [];
    for (const number of [1, 2, 3]) all.push(...(await migrate('--cold', '--vm', used.vm(number).name)));
    return all;
  });
  printMigrations('Cold, ports never bound', migrations);
  expectHandedOver(migrations);
  for (const one of migrations) {
    expect(bindingStory(one.interfaces[0])[0]).toBe('unbound');
    expect(Object.values(one.functions).flatMap(({ coldStarts }) => coldStarts).length).toBeGreaterThan(0);
    expect(marginMs(one)).toBeGreaterThan(0);
    // To pin, to open and to pin again: whichever function comes to it first does each.
    const changes = Object.values(one.functions).map(({ answers }) => answers[200] ?? 0);
    expect(changes.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(3);
  }
  expect(await warnings(used)).toEqual([]);
});

test('ten migrations there and back with warm functions keep what is promised', async () => {
  const migrations = await migrate('--migrations', '10');
  printMigrations('Warm', migrations);
  expect(migrations).toHaveLength(10);
  expectHandedOver(migrations);
  for (const one of migrations) expect(marginMs(one)).toBeGreaterThan(0);
  expect(await warnings(used)).toEqual([]);
});

test('while no function can start, a target waits at its gates and the VM loses nothing; then the migration succeeds', async () => {
  await withShortStableWindow(used, () => functionsAreCold(used.cluster));
  await kubectlOfFunctions(used, 'create', 'quota', 'no-pods', '--hard=pods=0');
  try {
    await using migration = await WatchedMigration.start(used, used.vm(1));
    const target = await migration.target();
    await sleep(HELD_MS);
    const pod = JSON.parse(await used.kubectl('-n', 'prod', 'get', 'pod', target, '-o', 'json'));
    expect(pod.spec.schedulingGates).toEqual(GATES.map((name) => ({ name })));
    const { lost, silenceMs } = migration.pings();
    expect(lost).toBe(0);

    await kubectlOfFunctions(used, 'delete', 'quota', 'no-pods');
    const { phase, rightAfterMs, seen } = await migration.endsRight(300_000);
    printTable('Functions that could not start for a minute', [
      ['silence in it ms', 'ended', 'after they could again ms', 'silence ms', 'TCP'],
      [
        `${Math.round(silenceMs)}`,
        phase,
        `${rightAfterMs}`,
        `${seen.outageMs}`,
        seen.tcpBroken ? 'broken' : 'unbroken',
      ],
    ]);
    expect({ phase, tcpBroken: seen.tcpBroken }).toEqual({ phase: 'Succeeded', tcpBroken: false });
    expect(seen.activatedByRarp).toBe(true);
  } finally {
    await kubectlOfFunctions(used, 'delete', 'quota', 'no-pods', '--ignore-not-found');
  }
});
