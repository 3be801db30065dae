import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { ClusterDescription } from '../../../lab/cluster/description.ts';
import { kubectlIn } from '../../../lab/cluster/kubectl.ts';
import { standingCluster } from '../../../lab/cluster/standing.ts';
import type { VmDescription } from '../../../lab/testbed/description.ts';

const START_WITHIN_MS = 3_600_000;
const PROJECT_NAMESPACE = 'ovn-handover';

/** What a file of tests has of a cluster with nodes; nothing of it is there before the first test. */
export interface UsedCluster {
  readonly cluster: ClusterDescription;
  /** For files, until the last test has ended. */
  readonly folder: string;
  /** One of its VMs, which run; from 1. */
  vm(number: number): VmDescription;
  kubectl(...args: readonly string[]): Promise<string>;
}

/** The cluster that stands, or one of this file of tests' own. */
export function useCluster({ vms }: { readonly vms: number }): UsedCluster {
  let standing: Awaited<ReturnType<typeof standingCluster>>;
  let folder: string;
  beforeAll(async () => {
    standing = await standingCluster(vms, () => {});
    folder = await mkdtemp(join(tmpdir(), 'cluster-test-'));
  }, START_WITHIN_MS);
  afterAll(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
    await standing?.[Symbol.asyncDispose]();
  });
  return {
    get cluster() {
      return standing.cluster;
    },
    get folder() {
      return folder;
    },
    vm: (number) => standing.cluster.testbed.vms[number - 1]!,
    kubectl: (...args) => kubectlIn(standing.cluster, ...args),
  };
}

/**
 * Has Knative let functions go to zero sooner while something is done: after 15 s without a request, where a minute is its default.
 * How they start is not touched by that.
 */
export async function withShortStableWindow<T>({ kubectl }: UsedCluster, action: () => Promise<T>): Promise<T> {
  const set = (window: string | null) => {
    const patch = JSON.stringify({ data: { 'stable-window': window } });
    return kubectl('-n', 'knative-serving', 'patch', 'configmap/config-autoscaler', '--type=merge', '-p', patch);
  };
  await set('15s');
  try {
    return await action();
  } finally {
    await set(null);
  }
}

/** What our functions have said to be wrong with VMs, as the Events on these tell it. */
export async function warnings({ kubectl }: UsedCluster): Promise<string[]> {
  const { items } = JSON.parse(await kubectl('-n', 'prod', 'get', 'events', '-o', 'json')) as { items: Event[] };
  return items
    .filter(({ type, reportingComponent }) => type === 'Warning' && reportingComponent?.startsWith('ovn-handover.dev/'))
    .map(({ metadata, message }) => `${metadata.name}: ${message}`);
}

interface Event {
  readonly metadata: { readonly name: string };
  readonly type: string;
  readonly reportingComponent?: string;
  readonly message: string;
}

/** With the functions' namespace. */
export function kubectlOfFunctions({ kubectl }: UsedCluster, ...args: readonly string[]): Promise<string> {
  return kubectl('-n', PROJECT_NAMESPACE, ...args);
}
