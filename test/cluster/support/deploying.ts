import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binary } from '../../../lab/cluster/binaries.ts';
import { fabricOf } from '../../../lab/cluster/description.ts';
import { deployment } from '../../../lab/cluster/knative/functions.ts';
import { kubectlOfFunctions, type UsedCluster } from './nodes.ts';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
export const STEPS = ['disable-dual-chassis', 'enable-dual-chassis', 'reconcile', 'release-port', 'reuse-port'];

/** How a program ended, and all that it said. */
export interface Ended {
  readonly status: number;
  readonly said: string;
}

/** Runs a program where the API server is, with the real func and kubectl on its PATH. */
export async function runInFabric(
  { cluster }: UsedCluster,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const PATH = `${dirname(binary('func'))}:${process.env.PATH}`;
  const options = {
    cwd: PROJECT,
    env: { ...process.env, NODE_OPTIONS: '', KUBECONFIG: cluster.kubeconfig, PATH, ...env },
    maxBuffer: 64 * 1024 * 1024,
  };
  // By its path, since a PATH under test may lack it.
  const inFabric = ['netns', 'exec', fabricOf(cluster.testbed), file, ...args];
  return promisify(execFile)('/sbin/ip', inFabric, options).then(
    ({ stdout, stderr }) => ({ status: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ status: code as number, said: `${stdout}${stderr}` }),
  );
}

/** `npm run deploy` with the image and the overlay of the cluster, unless the arguments have others. */
export async function deploy(used: UsedCluster, args: readonly string[] = [], env?: NodeJS.ProcessEnv): Promise<Ended> {
  const { image, overlay } = await deployment(used.cluster);
  const all = ['--image', image, '--overlay', overlay, ...args];
  return runInFabric(used, process.execPath, ['--conditions=ovn-handover-source', 'scripts/deploy.ts', ...all], env);
}

/** An overlay like the cluster's, with other settings. */
export async function overlayWith(used: UsedCluster, data: Readonly<Record<string, string>>): Promise<string> {
  const { overlay } = await deployment(used.cluster);
  const folder = join(used.folder, 'overlay-with');
  await mkdir(folder, { recursive: true });
  const patch = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ovn-handover', namespace: 'ovn-handover' },
    data,
  };
  const kustomization = { resources: [relative(folder, overlay)], patches: [{ patch: JSON.stringify(patch) }] };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return folder;
}

/** A PATH on which a tool is first a shell script; `"$REAL" "$@"` in it is the tool itself. */
export async function inFrontOf({ folder }: UsedCluster, tool: string, script: string): Promise<NodeJS.ProcessEnv> {
  const own = join(folder, `in-front-of-${tool}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, tool), `#!/bin/sh\nREAL=${binary(tool)}\n${script}`, { mode: 0o755 });
  return { PATH: `${own}:${dirname(binary('func'))}:${process.env.PATH}` };
}

/** What a function's next pod would be made of. */
export async function templateOf(used: UsedCluster, step: string) {
  return JSON.parse(await kubectlOfFunctions(used, 'get', 'ksvc', step, '-o', 'json')).spec.template;
}

/** Knative's objects of ours that are not Ready, as `kind/name`. */
export async function notReady(used: UsedCluster): Promise<string[]> {
  const kinds = 'ksvc,brokers,triggers,apiserversources,pingsources';
  const { items } = JSON.parse(await kubectlOfFunctions(used, 'get', kinds, '-o', 'json')) as { items: Conditioned[] };
  return items
    .filter(({ status }) => !status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

interface Conditioned {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
