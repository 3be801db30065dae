import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { binary } from '../binaries.ts';
import { kubeVirtArchive } from '../images/kubevirt.ts';
import { guestArchive, pauseArchive } from '../images/small.ts';
import { knativeArchives } from '../knative/archives.ts';
import type { NodeParts } from '../nodes/node.ts';
import { cached } from './cached.ts';
import { buildKubeVirt, type KubeVirtBuild } from './kubevirt.ts';
import { treeFor } from './trees.ts';

const BINARIES = fileURLToPath(new URL('../binaries.sh', import.meta.url));
const PLUGIN = fileURLToPath(new URL('../cni/', import.meta.url));
/** Plug-ins of the CNI project that nodes use. */
const PLUGINS = ['loopback', 'ptp', 'host-local', 'portmap'];
const PROGRAMS = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl'],
  ...['containerd', 'containerd-shim-runc-v2', 'ctr', 'func', ...PLUGINS],
];

/** All that a cluster is made of, built. */
export interface ClusterParts extends NodeParts {
  readonly kubevirt: KubeVirtBuild;
}

/** Builds what is not built yet: an hour on two cores for the first time, seconds afterwards. */
export async function buildParts(
  onProgress: (step: string) => void,
  { knative }: { readonly knative: boolean },
): Promise<ClusterParts> {
  onProgress('building Kubernetes, etcd, containerd and CNI plug-ins where that is not done yet');
  await buildPrograms(PROGRAMS);
  const tree = await treeFor('node', onProgress);
  const kubevirt = await buildKubeVirt(onProgress);
  if (kubevirt.change !== undefined) onProgress(`KubeVirt ${kubevirt.version} with one change: ${kubevirt.change}`);
  const images = [await pauseArchive(), await guestArchive(), await kubeVirtArchive(kubevirt, onProgress)];
  if (knative) images.push(...(await knativeArchives(onProgress)));
  return { tree, kubevirt, images, networkPlugins: await networkPlugins() };
}

/** Has programs of pinned Go modules built into the cache. */
async function buildPrograms(names: readonly string[]): Promise<void> {
  // In a pid namespace, so that no compiler goes on after our end.
  const alone = ['--pdeathsig', 'KILL', '--', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const [code] = await once(
    spawn('setpriv', [...alone, 'nice', '-n', '4', BINARIES, ...names], { stdio: 'inherit' }),
    'exit',
  );
  if (code !== 0) throw new Error('not all programs could be built; the lines above say why.');
}

/** Folder with the plug-ins, our own in one file among them. */
async function networkPlugins(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(PLUGIN, 'main.ts')],
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['ovn-handover-source'],
    logLevel: 'warning',
  });
  const own = outputFiles[0]!.text;
  const dispatcher = await readFile(join(PLUGIN, 'lab-ovn'), 'utf8');
  const built = await Promise.all(PLUGINS.map(async (name) => (await stat(binary(name))).mtimeMs));
  return cached('network-plugins', [own, dispatcher, built], async (folder) => {
    for (const name of PLUGINS) await copyFile(binary(name), join(folder, name));
    await writeFile(join(folder, 'lab-ovn.mjs'), own);
    await writeFile(join(folder, 'lab-ovn'), dispatcher, { mode: 0o755 });
  });
}
