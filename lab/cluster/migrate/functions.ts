import type { ClusterDescription } from '../description.ts';
import { eventually } from '../eventually.ts';
import { kubectlIn } from '../kubectl.ts';

const NAMESPACE = 'ovn-handover';
const COLD_WITHIN_MS = 600_000;

/** Whether the functions have been deployed. */
export async function functionsAreDeployed(cluster: ClusterDescription): Promise<boolean> {
  // Without Knative there is no such kind.
  const found = await kubectlIn(cluster, '-n', NAMESPACE, 'get', 'services.serving.knative.dev', '-o', 'name').catch(
    () => '',
  );
  return found !== '';
}

/** Waits until Knative has scaled all functions to zero. */
export async function functionsAreCold(cluster: ClusterDescription): Promise<void> {
  await eventually('no function runs', COLD_WITHIN_MS, async () => {
    const pods = await kubectlIn(
      cluster,
      '-n',
      NAMESPACE,
      'get',
      'pods',
      '-l',
      'serving.knative.dev/service',
      '-o',
      'name',
    );
    return pods === '' || `these do: ${pods.replaceAll('\n', ', ')}`;
  });
}
