import { run, runIn } from '../testbed/command.ts';
import { binary } from './binaries.ts';
import { type ClusterDescription, fabricOf } from './description.ts';

/** Runs kubectl to its end and gives what it wrote to stdout. */
export async function kubectl(kubeconfig: string, ...args: readonly string[]): Promise<string> {
  return run(binary('kubectl'), ['--kubeconfig', kubeconfig, ...args]);
}

/** Like {@link kubectl}, as administrator of a cluster with nodes, from where its API server is. */
export async function kubectlIn(
  { testbed, kubeconfig }: Pick<ClusterDescription, 'testbed' | 'kubeconfig'>,
  ...args: readonly string[]
): Promise<string> {
  return runIn(fabricOf(testbed), binary('kubectl'), ['--kubeconfig', kubeconfig, ...args]);
}
