import { eventually } from '../../../lab/cluster/eventually.ts';
import { migrate } from './cli-migrations.ts';
import type { UsedCluster } from './nodes.ts';
import { nodeOf } from './watched-migration.ts';

const MOVED_WITHIN_MS = 180_000;
export const KNATIVE = ['knative-serving', 'knative-eventing', 'ovn-handover', 'kube-system'];
export const KUBEVIRT = ['kubevirt'];

export function otherNode({ cluster }: UsedCluster, node: string): string {
  return cluster.nodes.find(({ name }) => name !== node)!.name;
}

/** Has all pods of Deployments in these namespaces run on one node; resolves when they are available there. */
export async function movePods(used: UsedCluster, namespaces: readonly string[], to: string): Promise<void> {
  const from = otherNode(used, to);
  await used.kubectl('cordon', from);
  try {
    for (const namespace of namespaces) {
      for (const pod of await deployedOn(used, namespace, from)) {
        await used.kubectl('-n', namespace, 'delete', 'pod', pod, '--wait=false');
      }
    }
    for (const namespace of namespaces) {
      await eventually(`all of ${namespace} is available on ${to}`, MOVED_WITHIN_MS, async () => {
        const left = await deployedOn(used, namespace, from);
        return left.length === 0 ? areAvailable(used, namespace) : `on ${from}: ${left}`;
      });
    }
  } finally {
    await used.kubectl('uncordon', from);
  }
}

/** Scales all Deployments in these namespaces; resolves when all replicas are available. */
export async function scale(used: UsedCluster, namespaces: readonly string[], replicas: number): Promise<void> {
  for (const namespace of namespaces) {
    await used.kubectl('-n', namespace, 'scale', 'deployment', '--all', `--replicas=${replicas}`);
  }
  for (const namespace of namespaces) {
    await eventually(`all of ${namespace} is available`, MOVED_WITHIN_MS, () => areAvailable(used, namespace));
  }
}

/** Has VMs run on one node. */
export async function moveVms(used: UsedCluster, numbers: readonly number[], to: string): Promise<void> {
  for (const number of numbers) {
    const vm = used.vm(number);
    if ((await nodeOf(used, vm)) !== to) await migrate('--vm', vm.name);
    await eventually(`${vm.name} runs on ${to}`, MOVED_WITHIN_MS, async () => {
      const seen = await nodeOf(used, vm);
      return seen === to || `on ${seen}`;
    });
  }
}

async function areAvailable({ kubectl }: UsedCluster, namespace: string): Promise<true | string> {
  const { items } = JSON.parse(await kubectl('-n', namespace, 'get', 'deployments', '-o', 'json')) as {
    items: { metadata: { name: string }; spec: { replicas: number }; status?: { availableReplicas?: number } }[];
  };
  const missing = items.filter(({ spec, status }) => (status?.availableReplicas ?? 0) < spec.replicas);
  return missing.length === 0 || `not yet: ${missing.map(({ metadata }) => metadata.name)}`;
}

/** Pods of Deployments that run on a node, but for those of functions, which come and go. */
async function deployedOn({ kubectl }: UsedCluster, namespace: string, node: string): Promise<string[]> {
  const list = ['get', 'pods', '--field-selector', `spec.nodeName=${node}`, '-o', 'json'];
  const { items } = JSON.parse(await kubectl('-n', namespace, ...list)) as { items: Pod[] };
  return items
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ kind }) => kind === 'ReplicaSet'))
    .filter(({ metadata }) => !('serving.knative.dev/service' in metadata.labels))
    .map(({ metadata }) => metadata.name);
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
}
