import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { awaitGate } from './gate.ts';
import { kubectl } from './kubectl.ts';
import { writeServiceAccounts } from './service-accounts.ts';

const EVENTING = fileURLToPath(new URL('../../eventing', import.meta.url));
const NAMESPACE = 'ovn-handover';

export interface EventingOptions {
  /** Of an administrator. */
  readonly kubeconfig: string;
  /** Folder for a kubeconfig of each ServiceAccount. */
  readonly serviceAccounts: string;
  /** Whether target pods get the scheduling gate. */
  readonly gate: boolean;
}

/**
 * Brings what `eventing/` has for Kubernetes itself: ServiceAccounts, their rights, policies, and the gate. Knative's own
 * kinds are left out: its controllers are not here.
 */
export async function installEventing({ kubeconfig, serviceAccounts, gate }: EventingOptions): Promise<void> {
  await applyKubernetesOwn(kubeconfig);
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfig, 'utf8'));
  await writeServiceAccounts(config, NAMESPACE, serviceAccounts);
  if (!gate) return;
  await kubectl(kubeconfig, 'apply', '-k', join(EVENTING, 'components', await gateComponent(kubeconfig)));
  await awaitGate(config);
}

async function applyKubernetesOwn(kubeconfig: string): Promise<void> {
  const all = await kubectl(kubeconfig, 'kustomize', join(EVENTING, 'overlays/kube-ovn'));
  const own = parseAllDocuments(all).filter(
    (document) => !String(document.get('apiVersion')).includes('.knative.dev/'),
  );
  const file = `${kubeconfig}.eventing.yaml`;
  await writeFile(file, own.map(String).join('---\n'));
  await kubectl(kubeconfig, 'apply', '-f', file);
}

/** The gate in the newest version of MutatingAdmissionPolicy that the server offers. */
async function gateComponent(kubeconfig: string): Promise<string> {
  const offered = await kubectl(kubeconfig, 'api-resources', '--api-group=admissionregistration.k8s.io');
  const isV1 = /\/v1 .* MutatingAdmissionPolicy$/m.test(offered);
  return isV1 ? 'scheduling-gate' : 'scheduling-gate-v1beta1';
}
