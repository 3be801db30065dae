import type { ClusterDescription } from '../description.ts';
import { deployFunctions } from './functions.ts';
import { awaitKnative, installKnative } from './install.ts';

/** Brings Knative and the functions to a cluster whose nodes are Ready and whose API server knows KubeVirt's kinds. */
export async function upKnative(cluster: ClusterDescription, onProgress: (step: string) => void): Promise<void> {
  onProgress('applying Knative Serving and Eventing, and waiting until they are available');
  await installKnative(cluster);
  await awaitKnative(cluster);
  onProgress('deploying the functions by npm run deploy');
  await deployFunctions(cluster);
}
