import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { API_ADDRESS, NB_PORT, SB_PORT } from '../addresses.ts';
import { binary } from '../binaries.ts';
import { longRun } from '../build/long-run.ts';
import { type ClusterDescription, fabricOf } from '../description.ts';
import { giveImages } from '../nodes/give-images.ts';
import { digestedName, functionsArchive } from './images.ts';
import { awaitKnative } from './install.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Resolves when Knative works and the functions are deployed on it. */
export async function startFunctions(cluster: ClusterDescription, onProgress: (step: string) => void): Promise<void> {
  onProgress('waiting until Knative is available');
  await awaitKnative(cluster);
  onProgress('deploying the functions by npm run deploy');
  await deployFunctions(cluster);
}

/**
 * What `npm run deploy` is given on a cluster: the image of the functions as they are built in `dist/`, which its nodes have then,
 * and an overlay.
 *
 * @param edition images of two editions have different digests
 */
export async function deployment(
  cluster: ClusterDescription,
  edition = '',
): Promise<{ image: string; overlay: string }> {
  const archive = await functionsArchive(edition);
  // They may have been built anew since the cluster was started.
  await giveImages(cluster, archive);
  return { image: await digestedName(archive), overlay: await writeOverlay(join(cluster.directory, 'knative')) };
}

/** Deploys the functions by the project's own `npm run deploy` with the real func and kubectl. */
async function deployFunctions(cluster: ClusterDescription): Promise<void> {
  const { image, overlay } = await deployment(cluster);
  const PATH = `${dirname(binary('func'))}:${dirname(process.execPath)}:${process.env.PATH}`;
  const command = ['npm', 'run', 'deploy', '--', '--image', image, '--overlay', overlay];
  await longRun(['ip', 'netns', 'exec', fabricOf(cluster.testbed), ...command], {
    log: join(cluster.logs, 'deploy.log'),
    cwd: PROJECT,
    env: { ...process.env, PATH, KUBECONFIG: cluster.kubeconfig },
  });
}

/** The overlay of another OVN than Kube-OVN, with the databases of this cluster. */
async function writeOverlay(directory: string): Promise<string> {
  const folder = join(directory, 'overlay');
  await mkdir(folder, { recursive: true });
  const eventing = relative(folder, join(PROJECT, 'eventing'));
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ovn-handover', namespace: 'ovn-handover' },
    data: {
      OVN_NB_REMOTE: `tcp:${API_ADDRESS}:${NB_PORT}`,
      OVN_SB_REMOTE: `tcp:${API_ADDRESS}:${SB_PORT}`,
    },
  };
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [`${eventing}/overlays/generic-ovn`],
    components: [`${eventing}/components/without-tls`],
    patches: [{ patch: stringify(settings) }],
  };
  await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return folder;
}
