import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Cluster } from '../../kubevirt/cluster.ts';
import { migrateOnce } from '../../migrate/migration.ts';
import { type MigrationResult, type Mode, type Report, summarize } from '../../migrate/result.ts';
import { run } from '../../testbed/command.ts';
import type { VmDescription } from '../../testbed/description.ts';
import { runOvn } from '../../testbed/ovn-suite.ts';
import type { ClusterDescription } from '../description.ts';
import { kubectlIn } from '../kubectl.ts';
import { FunctionJournal } from './function-journal.ts';
import { guestBlackoutMs } from './guest-blackout.ts';
import { guestHealth } from './guest-health.ts';
import { KubeVirtJournal } from './journal.ts';

export interface ClusterRunOptions {
  readonly cluster: ClusterDescription;
  readonly mode: Mode;
  readonly vm: VmDescription;
  /** Number of migrations, there and back. */
  readonly migrations: number;
  readonly gate: boolean;
  readonly cancelAt?: string;
  /** Called before each. */
  readonly before: () => Promise<void>;
  readonly onProgress: (step: string) => void;
  readonly onMigration: (result: MigrationResult) => void;
}

/** Migrates a VM of a cluster that stands; has to run where the API server is reached. */
export async function migrateOnCluster(options: ClusterRunOptions): Promise<Report> {
  const { cluster, mode, migrations, gate, onProgress, onMigration } = options;
  const { testbed, directory } = cluster;
  const logs = { kubevirt: join(directory, 'logs/kubevirt.jsonl'), knative: join(directory, 'logs/knative.jsonl') };
  for (const log of Object.values(logs)) await rm(log, { force: true });
  const watched = await watchCluster(cluster);
  const journal = new KubeVirtJournal(watched, logs.kubevirt);
  const functions = new FunctionJournal(cluster, watched, logs.knative);
  try {
    const vm = { ...options.vm, node: () => vmiOf(watched, options.vm)?.status?.nodeName ?? '' };
    const results: MigrationResult[] = [];
    for (let index = 1; index <= migrations; index++) {
      const from = vm.node();
      const to = otherNode(cluster, from);
      onProgress(`migration ${index} of ${migrations}: ${from} → ${to}`);
      await earlierPodsHaveEnded(watched, options.vm);
      await options.before();
      const result = await migrateOnce({
        ...options,
        testbed,
        controlPlane: { cluster: watched, logs: { ...logs, requests: '' } },
        vm,
        to,
        eventDelayMs: 0,
        withinMs: MIGRATION_WITHIN_MS,
        guestHealth: () => {
          const node = cluster.nodes.find(({ name }) => name === vm.node());
          const uid = vmiOf(watched, options.vm)?.metadata.uid;
          return node && uid ? guestHealth(uid, node) : Promise.resolve('gone');
        },
        guestBlackoutMs: () => {
          const pod = vm.node() === to ? launcherOn(watched, options.vm, to) : undefined;
          return pod === undefined ? Promise.resolve(undefined) : guestBlackoutMs(cluster, options.vm, pod);
        },
      });
      onMigration(result);
      results.push(result);
      if (result.guest !== 'running') break;
    }
    const summary = summarize(results);
    const figures = { mode, gate, eventDelayMs: 0, paceMs: 0 };
    return { ...figures, versions: await versions(cluster), migrations: results, summary };
  } finally {
    journal.stop();
    await functions.stop();
    await watched.stop();
  }
}

async function watchCluster({ kubeconfig }: ClusterDescription): Promise<Cluster> {
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfig, 'utf8'));
  const cluster = new Cluster(config);
  await cluster.start();
  return cluster;
}

function vmiOf(cluster: Cluster, { namespace, name }: VmDescription) {
  return cluster.vmis.get(namespace, name);
}

/** The name of the VM's pod that runs on a node. */
function launcherOn(cluster: Cluster, vm: VmDescription, node: string): string | undefined {
  const pods = cluster.pods.all().filter(({ spec }) => spec.nodeName === node);
  const own = pods.filter(
    ({ metadata }) => metadata.labels?.['kubevirt.io/created-by'] === vmiOf(cluster, vm)?.metadata.uid,
  );
  return own.find(({ status }) => status?.phase === 'Running')?.metadata.name;
}

function otherNode({ nodes }: ClusterDescription, from: string): string {
  return nodes.find(({ name }) => name !== from)!.name;
}

/** KubeVirt lets a migration back wait until the pod there of the migration before has ended. */
async function earlierPodsHaveEnded(cluster: Cluster, vm: VmDescription): Promise<void> {
  const uid = vmiOf(cluster, vm)?.metadata.uid;
  const signal = AbortSignal.timeout(EARLIER_PODS_WITHIN_MS);
  await cluster.until(() => {
    const pods = cluster.pods.all().filter(({ metadata }) => metadata.labels?.['kubevirt.io/created-by'] === uid);
    return pods.filter(({ status }) => status?.phase === 'Running').length === 1;
  }, signal);
}

const EARLIER_PODS_WITHIN_MS = 60_000;
/** A virt-handler that missed the end of a migration learns of it when it looks again, which it does every five minutes. */
const MIGRATION_WITHIN_MS = 400_000;

async function versions(cluster: ClusterDescription): Promise<Record<string, string>> {
  const { ovn, client } = cluster.testbed;
  const firstLine = async (program: string) =>
    (await runOvn({ netns: client.netns, ovn }, [program, '--version'])).split('\n')[0] ?? '';
  const { serverVersion } = JSON.parse(await kubectlIn(cluster, 'version', '-o', 'json')) as {
    serverVersion: { gitVersion: string };
  };
  const observed = [
    '-n',
    'kubevirt',
    'get',
    'kubevirt',
    'kubevirt',
    '-o',
    'jsonpath={.status.observedKubeVirtVersion}',
  ];
  return {
    ovn: await firstLine('ovn-controller'),
    ovs: await firstLine('ovs-vswitchd'),
    kubernetes: serverVersion.gitVersion,
    kubevirt: await kubectlIn(cluster, ...observed),
    node: process.version,
    kernel: await run('uname', ['-r']),
  };
}
