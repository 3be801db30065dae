import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeVirtBuild } from '../build/kubevirt.ts';
import type { ClusterDescription } from '../description.ts';
import { eventually } from '../eventually.ts';
import { kubeVirtImage } from '../images/kubevirt.ts';
import { kubectlIn } from '../kubectl.ts';

const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: { name: kubevirt, labels: { kubevirt.io: '', pod-security.kubernetes.io/enforce: privileged } }
`;
const DEPLOYED_WITHIN_MS = 600_000;

/** Applies what KubeVirt's own operator needs, the operator, and the KubeVirt that it shall bring. */
export async function installKubeVirt(
  cluster: ClusterDescription,
  { programs, version }: KubeVirtBuild,
): Promise<void> {
  // KubeVirt's control plane runs on control plane nodes.
  for (const { name } of cluster.nodes) {
    await kubectlIn(cluster, 'label', '--overwrite', 'node', name, 'node-role.kubernetes.io/control-plane=');
  }
  const own = await readFile(new URL('virt-operator.yaml', import.meta.url), 'utf8');
  const operator = own.replaceAll('@IMAGE@', kubeVirtImage('operator', version)).replaceAll('@VERSION@', version);
  const before = [NAMESPACE, await readFile(join(programs, 'operator.yaml'), 'utf8')].join('---\n');
  await apply(cluster, 'kubevirt-kinds.yaml', before);
  await kubectlIn(cluster, 'wait', '--for=condition=Established', 'crd/kubevirts.kubevirt.io');
  await apply(cluster, 'kubevirt.yaml', operator);
}

/** Waits until KubeVirt says that it is deployed, and both nodes take VMs. */
export async function kubeVirtIsDeployed(cluster: ClusterDescription): Promise<void> {
  const phase = ['-n', 'kubevirt', 'get', 'kubevirt', 'kubevirt', '-o', 'jsonpath={.status.phase}'];
  await eventually('KubeVirt is deployed', DEPLOYED_WITHIN_MS, async () => {
    const seen = await kubectlIn(cluster, ...phase);
    return seen === 'Deployed' || `phase ${seen || 'unknown'}`;
  });
  await eventually('both nodes take VMs', DEPLOYED_WITHIN_MS, async () => {
    const nodes = await kubectlIn(cluster, 'get', 'nodes', '-l', 'kubevirt.io/schedulable=true', '-o', 'name');
    return nodes.split('\n').filter(Boolean).length === cluster.nodes.length || `those that do: ${nodes || 'none'}`;
  });
}

async function apply(cluster: ClusterDescription, name: string, manifests: string): Promise<void> {
  const file = join(cluster.directory, name);
  await writeFile(file, manifests);
  await kubectlIn(cluster, 'apply', '--server-side', '--force-conflicts', '-f', file);
}
