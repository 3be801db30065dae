import type { GateVersion } from '../../cli/cluster/kinds.ts';
import { DeployError, lastLine, output } from './tools.ts';

/** The component that is written for a version of MutatingAdmissionPolicy. */
export const GATE_COMPONENTS: Readonly<Record<GateVersion, string>> = {
  v1: 'scheduling-gate',
  v1beta1: 'scheduling-gate-v1beta1',
};

export async function requireCluster(): Promise<void> {
  await output('kubectl', ['get', '--raw', '/readyz']).catch((error) => {
    throw new DeployError(`the cluster of the current kubeconfig is not reached: ${lastLine(error)}`);
  });
}

/** func looks for the Secrets of a function only when it was deployed before; its pods would wait for this one for ever. */
export async function requireSecret(namespace: string, secret: string, whatFor: string): Promise<void> {
  await output('kubectl', ['-n', namespace, 'get', 'secret', secret]).catch((error) => {
    throw new DeployError(
      `the functions need the Secret ${secret} in namespace ${namespace} (${whatFor}), see docs/guide.md: ${lastLine(error)}`,
    );
  });
}
