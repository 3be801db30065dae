import type { ClusterDescription } from './description.ts';
import { kubectlIn } from './kubectl.ts';

const VIEWS: readonly (readonly string[])[] = [
  ['get', 'nodes', '-o', 'wide'],
  ['get', 'pods', '-A', '-o', 'wide'],
  ['get', 'vm,vmi,vmim', '-A'],
];

/** What stands, as kubectl tells it. */
export async function status(cluster: ClusterDescription): Promise<string> {
  const views = VIEWS.map((view) => kubectlIn(cluster, ...view).catch((error: Error) => error.message));
  return (await Promise.all(views)).join('\n\n');
}
