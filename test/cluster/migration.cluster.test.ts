/** Whole migrations of a real guest over real OVN, with a real kube-apiserver and Knative's own receive adapter. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { MIGRATION_JOB_UID } from '../../lab/kubevirt/labels.ts';
import type { Pod } from '../../lab/kubevirt/objects.ts';
import { migrateOnce } from '../../lab/migrate/migration.ts';
import { bindingStory, brokenPromises } from '../../lab/migrate/result.ts';
import { watchBindings } from '../../lab/observe/bindings.ts';
import { startPing } from '../../lab/probe/ping.ts';
import { type Lab, PACE_MS, useLab } from './support/lab.ts';
import { accountOf, NEEDED, refusedAmong, rightOf } from './support/rights.ts';
import { printTable } from './support/table.ts';

jest.setTimeout(300_000);

const GATES = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'];
const start = useLab('clustertest');

test('three migrations, each under 500 ms, break no connection; only their target pods are gated, and each function may do all that it does', async () => {
  const lab = await start({ functions: true });
  const rows = [['', 'outage ms', 'blackout ms', 'lost pings', 'TCP stall ms', 'binding']];
  for (const to of ['node2', 'node1', 'node2']) {
    const result = await migrateOnce({ ...lab, mode: 'handover', to, eventDelayMs: 0 });
    const [seen] = result.interfaces;
    const figures = [seen.outageMs, result.guestBlackoutMs, seen.lostPings, seen.tcpMaxStallMs].map(String);
    rows.push([`${result.from} → ${to}`, ...figures, bindingStory(seen).join(' → ')]);
    expect(brokenPromises(result)).toEqual([]);
  }
  printTable('Migrations through kube-apiserver and the receive adapter', rows);
  const targets = expectGates(lab);
  await endVm(lab);

  const requests = await lab.requests();
  expect(refusedAmong(requests)).toEqual([]);
  const patches = requests.filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.resource === 'pods');
  expect(new Set(patches.map(accountOf))).toEqual(new Set(['reuse-port', 'enable-dual-chassis']));
  expect(new Set(patches.map(({ objectRef }) => objectRef?.name))).toEqual(new Set(targets));
  const byAccount = [...Map.groupBy(requests, accountOf)].map(
    ([account, own]) => [account, own.length, [...new Set(own.map(rightOf))].sort()] as const,
  );
  printTable('What each function did with its own token, none of it rejected', [
    ['', 'requests', 'which'],
    ...byAccount.map(([account, count, rights]) => [account, `${count}`, rights.join(', ')]),
  ]);
  expect(byAccount.map(([account]) => account).sort()).toEqual([
    ...['disable-dual-chassis', 'enable-dual-chassis', 'reconcile', 'release-port', 'reuse-port'],
  ]);
  for (const [account, , rights] of byAccount) expect(NEEDED[account]).toEqual(expect.arrayContaining(rights));
});

/** @returns the names of the target pods */
function expectGates({ created }: Lab): string[] {
  const isTarget = ({ metadata }: Pod) => MIGRATION_JOB_UID in (metadata.labels ?? {});
  const [targets, others] = [true, false].map((wanted) =>
    [...created.values()].filter((pod) => isTarget(pod) === wanted),
  );
  expect(targets!.map(gatesOf)).toEqual([GATES, GATES, GATES]);
  expect(others!.map(gatesOf)).toEqual([[]]);
  return targets!.map(({ metadata }) => metadata.name);
}

function gatesOf({ spec }: Pod): string[] {
  return spec.schedulingGates?.map(({ name }) => name) ?? [];
}

/** For release-port: the VM is deleted, and its port is bound to nothing again. */
async function endVm({ testbed, vm, controlPlane: { cluster } }: Lab): Promise<void> {
  const bindings = await watchBindings(testbed);
  await cluster.vms.delete(cluster.vms.get(vm.namespace, vm.name)!);
  await bindings.wanted.until(({ requestedChassis }) => requestedChassis === undefined, { timeoutMs: 60_000 });
  await bindings.stop();
}

test('with the functions away the target pod stays gated, and the VM keeps its network', async () => {
  const { testbed, vm, created, migrate, controlPlane } = await start({ functions: false });
  const { pods } = controlPlane.cluster;
  const bindings = await watchBindings(testbed);
  const ping = await startPing(testbed.client, vm.interfaces[0].ip, { intervalMs: 20 });
  const { target } = await migrate('node2');
  await sleep(2 * PACE_MS);
  const { sent, answers } = await ping.stop();
  await bindings.stop();
  expect(gatesOf(created.get(target.metadata.name)!)).toEqual(GATES);
  expect(pods.latest(target)?.spec.schedulingGates).toEqual(GATES.map((name) => ({ name })));
  expect(pods.latest(target)?.spec.nodeName).toBeUndefined();
  expect(vm.node()).toBe('node1');
  expect(bindings.wanted.list).toHaveLength(1);
  expect(bindings.claimed.last).toMatchObject({ chassis: 'chassis-1', additionalChassis: [] });
  // The last one may be under way.
  expect(sent - answers.length).toBeLessThanOrEqual(1);
});
