import { DeployError, lastLine, output } from './tools.ts';

/** Newest first, with the component that is written for it. */
const GATES = [
  { version: 'v1', component: 'scheduling-gate' },
  { version: 'v1beta1', component: 'scheduling-gate-v1beta1' },
];

/** The component for the newest version of MutatingAdmissionPolicy that the API server offers. */
export async function offeredGate(): Promise<string | undefined> {
  await output('kubectl', ['get', '--raw', '/readyz']).catch((error) => {
    throw new DeployError(`the cluster of the current kubeconfig is not reached: ${lastLine(error)}`);
  });
  for (const { version, component } of GATES) {
    // An API version that is not served is a 404.
    const path = `/apis/admissionregistration.k8s.io/${version}`;
    const found = await output('kubectl', ['get', '--raw', path]).catch(() => '{}');
    const { resources = [] } = JSON.parse(found) as { resources?: { name: string }[] };
    if (resources.some(({ name }) => name === 'mutatingadmissionpolicies')) return component;
  }
  return undefined;
}

/** func looks for the Secrets of a function only when it was deployed before; its pods would wait for this one for ever. */
export async function requireSecret(namespace: string, secret: string, whatFor: string): Promise<void> {
  await output('kubectl', ['-n', namespace, 'get', 'secret', secret]).catch((error) => {
    throw new DeployError(
      `the functions need the Secret ${secret} in namespace ${namespace} (${whatFor}), see docs/guide.md: ${lastLine(error)}`,
    );
  });
}
