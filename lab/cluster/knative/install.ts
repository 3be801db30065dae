import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterDescription } from '../description.ts';
import { eventually } from '../eventually.ts';
import { kubectlIn } from '../kubectl.ts';
import { eventingManifests, servingManifests } from './manifests.ts';

const INGRESS_CLASS = 'lab.ingress.networking.knative.dev';
const NAMESPACES = ['kube-system', 'knative-serving', 'knative-eventing'];
const WITHIN_MS = 300_000;

export interface KnativeOptions {
  /** Serving's own default is `auto`; what the guide asks for is `disabled`. */
  readonly meshCompatibilityMode?: 'auto' | 'enabled' | 'disabled';
}

/**
 * Brings the cluster's DNS, and Knative with a network layer of the lab's. Resolves when the API server has taken all of it;
 * {@link awaitKnative} tells when it works.
 */
export async function installKnative(
  cluster: ClusterDescription,
  { meshCompatibilityMode = 'disabled' }: KnativeOptions = {},
): Promise<void> {
  const serving = await servingManifests({
    'config-network': { 'ingress-class': INGRESS_CLASS, 'mesh-compatibility-mode': meshCompatibilityMode },
  });
  const eventing = await eventingManifests();
  await applyFile(cluster, ownFile('dns.yaml'));
  await apply(cluster, 'knative-kinds', [...serving.kinds, ...eventing.kinds]);
  await kubectlIn(cluster, 'wait', '--for=condition=Established', '--timeout=25s', 'crd', '--all');
  await apply(cluster, 'knative-serving', serving.objects);
  await apply(cluster, 'knative-eventing', eventing.objects);
  await applyFile(cluster, ownFile('network.yaml'));
}

/** Waits until all Deployments of Knative and of the cluster's DNS are available. */
export async function awaitKnative(cluster: ClusterDescription): Promise<void> {
  await eventually('all of Knative is available', WITHIN_MS, async () => {
    const missing = await unavailable(cluster);
    return missing.length === 0 || `these Deployments are not: ${missing.join(', ')}`;
  });
}

interface Deployment {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function unavailable(cluster: ClusterDescription): Promise<string[]> {
  const all = await kubectlIn(cluster, 'get', 'deployments', '--all-namespaces', '-o', 'json');
  const { items } = JSON.parse(all) as { items: Deployment[] };
  const isAvailable = ({ status }: Deployment) =>
    status?.conditions?.some((one) => one.type === 'Available' && one.status === 'True');
  return items
    .filter(({ metadata }) => NAMESPACES.includes(metadata.namespace))
    .filter((deployment) => !isAvailable(deployment))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

async function apply(cluster: ClusterDescription, name: string, items: readonly object[]): Promise<void> {
  const file = join(cluster.directory, 'knative', `${name}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await applyFile(cluster, file);
}

/** On the server's side, since a kind may be larger than what the annotation of a client's apply takes. */
async function applyFile(cluster: ClusterDescription, file: string): Promise<void> {
  await kubectlIn(cluster, 'apply', '--server-side', '--force-conflicts', '-f', file);
}

function ownFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
