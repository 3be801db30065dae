import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import type { ClusterDescription } from '../description.ts';
import { eventually } from '../eventually.ts';
import { gatesOn, targetOf } from '../gate.ts';
import { kubectlIn } from '../kubectl.ts';

const COMPONENT = fileURLToPath(new URL('../../../eventing/components/scheduling-gate', import.meta.url));
const WITHIN_MS = 30_000;

/** Has target pods created with the scheduling gates from now on, or without; resolves when the API server does so. */
export async function setGate(cluster: ClusterDescription, wanted: boolean): Promise<void> {
  const how = wanted ? ['apply'] : ['delete', '--ignore-not-found'];
  await kubectlIn(cluster, ...how, '-k', COMPONENT);
  const config = new KubeConfig();
  config.loadFromString(await readFile(cluster.kubeconfig, 'utf8'));
  const pod = targetOf('policy-probe', 'default');
  await eventually(`target pods are created ${wanted ? 'with' : 'without'} gates`, WITHIN_MS, async () => {
    const gates = await gatesOn(config, pod);
    return gates.length > 0 === wanted || `gates: ${gates.join(', ') || 'none'}`;
  });
}
