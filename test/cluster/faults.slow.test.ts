/** What goes wrong in the middle of a real migration: each time the VM keeps its connection, and its port ends where the guest is. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ClusterNode } from '../../lab/cluster/description.ts';
import { processesOn } from '../../lab/cluster/nodes/processes.ts';
import { REPORTS } from './support/cli-migrations.ts';
import { kubectlOfFunctions, useCluster } from './support/nodes.ts';
import { otherNode } from './support/placing.ts';
import { printTable } from './support/table.ts';
import { type Ending, WatchedMigration } from './support/watched-migration.ts';

/** A sweep, which comes every two minutes, and the rest of a migration that waited for it. */
const RIGHT_WITHIN_MS = 150_000;
const HELD_BACK_MS = 20_000;
/** A first migration may have to start the functions. */
const COPIES_WITHIN_MS = 60_000;

jest.setTimeout(600_000);

const used = useCluster({ vms: 3 });
const rows: string[][] = [];
let turn = 0;

/** Copying takes seconds then, in which something can be done. */
async function limitBandwidth(limit: string | null): Promise<void> {
  const spec = { configuration: { migrations: limit === null ? null : { bandwidthPerMigration: limit } } };
  const patch = ['patch', 'kubevirt', 'kubevirt', '--type=merge', '-p', JSON.stringify({ spec })];
  await used.kubectl('-n', 'kubevirt', ...patch);
}

beforeAll(async () => {
  await mkdir(REPORTS, { recursive: true });
  await limitBandwidth('4Mi');
});
afterAll(() => limitBandwidth(null));
afterAll(() => {
  printTable('What each took to be right again', [['', 'ended', 'right after s', 'lost pings', 'silence ms'], ...rows]);
});

/** Migrates a VM, another one each time, and disturbs that; resolves when all is right again. */
async function disturbed(what: string, act: (migration: WatchedMigration) => Promise<void>): Promise<Ending & Start> {
  await using migration = await WatchedMigration.start(used, used.vm((turn++ % 3) + 1));
  await act(migration);
  const ending = await migration.endsRight(RIGHT_WITHIN_MS);
  const { phase, rightAfterMs, seen } = ending;
  rows.push([what, phase, (rightAfterMs / 1000).toFixed(1), `${seen.lostPings}`, `${seen.outageMs}`]);
  const { pings: _, ...figures } = seen;
  await writeFile(join(REPORTS, `${what.replaceAll(/\W+/g, '-')}.json`), JSON.stringify({ ...ending, seen: figures }));
  expect(seen.tcpBreak).toBeUndefined();
  return { ...ending, from: migration.from };
}

interface Start {
  readonly from: string;
}

const BEFORE_COPYING = ['Pending', 'Scheduling', 'Scheduled', 'PreparingTarget', 'TargetReady'];

test.each(BEFORE_COPYING)('a migration that is cancelled while it is %s leaves the VM where it was', async (phase) => {
  const { node, from, seen } = await disturbed(`cancelled while ${phase}`, async (migration) => {
    await migration.reached(phase);
    await migration.cancel();
  });
  expect(node).toBe(from);
  expect(seen.lostPings).toBe(0);
});

test('a migration that is cancelled while memory is copied ends with the port where the guest is', async () => {
  await disturbed('cancelled while Running', async (migration) => {
    await migration.reached('Running', COPIES_WITHIN_MS);
    await migration.cancel();
  });
});

test('a target whose virt-launcher is killed while memory is copied leaves the VM where it was', async () => {
  const { node, from } = await disturbed('target killed', async (migration) => {
    await migration.reached('Running', COPIES_WITHIN_MS);
    const target = otherNode(used, migration.from);
    const launchers = await pidsOn(
      [target],
      (words) => /virt-launcher$/.test(words[0]!) && words.includes(migration.vmi),
    );
    expect(launchers).not.toEqual([]);
    signal(launchers, 'SIGKILL');
  });
  expect(node).toBe(from);
});

const PARTS = {
  adapter: ['ovn-handover', 'eventing.knative.dev/source=apiserver-source-controller'],
  broker: ['knative-eventing', 'eventing.knative.dev/brokerRole in (ingress, filter)'],
  'channel dispatcher': ['knative-eventing', 'messaging.knative.dev/role=dispatcher'],
  activator: ['knative-serving', 'app=activator'],
};

test.each(Object.keys(PARTS).flatMap((part) => ['Scheduling', 'Running'].map((phase) => [part, phase] as const)))(
  'a migration whose %s is killed while it is %s succeeds',
  async (part, at) => {
    const [namespace, label] = PARTS[part as keyof typeof PARTS] as [string, string];
    const { phase } = await disturbed(`${part} killed while ${at}`, async (migration) => {
      await migration.reached(at, RIGHT_WITHIN_MS);
      const killed = await used.kubectl('-n', namespace, 'get', 'pods', '-l', label, '-o', 'name');
      expect(killed).not.toBe('');
      await used.kubectl('-n', namespace, 'delete', ...killed.split('\n'), '--grace-period=0', '--force');
    });
    expect(phase).toBe('Succeeded');
  },
);

test('a migration from a node whose kubelet has stopped succeeds', async () => {
  let kubelets: number[] = [];
  try {
    const { phase } = await disturbed("source's kubelet stopped", async (migration) => {
      await migration.reached('Scheduled', COPIES_WITHIN_MS);
      kubelets = await pidsOn([migration.from], (words) => words[0]!.endsWith('/kubelet'));
      signal(kubelets, 'SIGSTOP');
    });
    expect(phase).toBe('Succeeded');
  } finally {
    signal(kubelets, 'SIGCONT');
  }
});

test('a target waits for enable-dual-chassis that is held back for 20 s, and opens only on its RARP', async () => {
  await kubectlOfFunctions(used, 'get', 'ksvc', 'enable-dual-chassis');
  // It runs from the migration before.
  const nodes = used.cluster.nodes.map(({ name }) => name);
  const step = 'FUNC_STEP=enable-dual-chassis';
  const functions = await pidsOn(nodes, (words, environment) => environment.includes(step) && /node$/.test(words[0]!));
  expect(functions).not.toEqual([]);
  signal(functions, 'SIGSTOP');
  try {
    const { phase, seen } = await disturbed('enable-dual-chassis held back 20 s', async () => {
      await sleep(HELD_BACK_MS);
      signal(functions, 'SIGCONT');
    });
    expect(phase).toBe('Succeeded');
    expect(seen.activatedByRarp).toBe(true);
  } finally {
    signal(functions, 'SIGCONT');
  }
});

async function pidsOn(
  nodes: readonly string[],
  condition: (command: readonly string[], environment: readonly string[]) => boolean,
): Promise<number[]> {
  const own = used.cluster.nodes.filter(({ name }) => nodes.includes(name));
  const found = await Promise.all(
    own.map((node: ClusterNode) =>
      processesOn(node, ({ command, environment }) => command.length > 0 && condition(command, environment)),
    ),
  );
  return found.flat().map(({ pid }) => pid);
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  for (const pid of pids) process.kill(pid, name);
}
