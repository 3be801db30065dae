/**
 * Brings the functions, and what they hear of, into the cluster of the current kubeconfig. The image is built once; each
 * function is that image under another `FUNC_STEP`. The order matters: first what the functions run with, then the
 * functions, then the events that they hear of, and the gate last, because without all of them nobody would take it off.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseDocument } from 'yaml';
import { makeRoomForBroker } from './deploy/broker.ts';
import { offeredGate, requireCertificates } from './deploy/cluster.ts';
import { buildImage } from './deploy/image.ts';
import { adviseOnMesh, requireKnative } from './deploy/knative.ts';
import { type Manifest, type Stages, stagesOf } from './deploy/stages.ts';
import { DeployError, lastLine, output, run, say } from './deploy/tools.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = {
  kubectl: 'Kubernetes’ command line, https://kubernetes.io/docs/tasks/tools',
  func: 'Knative’s func, https://knative.dev/docs/functions/install-func',
};
const NAMESPACE = 'ovn-handover';
const CERTIFICATES = 'ovn-client-tls';
const READY_WITHIN_SECONDS = 60;
/** Each takes its scheduling gate off a target; without gates nothing waits for it. */
const WAITED_FOR = ['reuse-port', 'enable-dual-chassis'];

interface Options {
  readonly image: string;
  readonly overlay: string;
  readonly warm: boolean;
}

const program = new Command('deploy')
  .description('Build the image of the functions once, and deploy them and what they hear of.')
  .requiredOption('--image <image>', 'REPOSITORY to build and push to, or REPOSITORY@sha256:… that was pushed before')
  .option('--overlay <overlay>', 'one of eventing/overlays, or the path of a kustomization of your own', 'kube-ovn')
  .option('--warm', 'keep one each of the functions running that a target waits for; done anyway without gates', false)
  .parse();

const directory = await mkdtemp(join(tmpdir(), 'ovn-handover-deploy-'));
try {
  await deploy(program.opts<Options>());
} catch (error) {
  if (!(error instanceof DeployError)) throw error;
  console.error(`deploy: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}

async function deploy({ image, overlay, warm }: Options): Promise<void> {
  const kustomization = overlayFolder(overlay);
  await requireTools();
  const gate = await offeredGate();
  await requireKnative();
  await adviseOnMesh();
  const digest = image.includes('@sha256:') ? image : await buildImage(image, PROJECT, directory);

  const stages = await readStages(kustomization);
  await makeRoomForBroker(stages, directory);
  await apply('base', stages.base);
  await requireCertificates(NAMESPACE, CERTIFICATES);
  const functions = await readdir(join(PROJECT, 'functions'), { withFileTypes: true });
  for (const { name } of functions.filter((entry) => entry.isDirectory())) {
    await deployFunction(name, digest, WAITED_FOR.includes(name) && (warm || gate === undefined));
  }
  await apply('triggers', stages.triggers);
  await apply('sources', stages.sources);
  await awaitReady(stages);
  if (gate) await run('kubectl', ['apply', '-k', join(PROJECT, 'eventing/components', gate)], directory);
  else
    say(`this API server offers no MutatingAdmissionPolicy: no gates, so ${WAITED_FOR.join(' and ')} are kept running`);
  say('done, and all of it is ready. Whether the functions reach OVN, the next sweep tells: see docs/guide.md');
}

function overlayFolder(overlay: string): string {
  const ours = join(PROJECT, 'eventing/overlays', overlay);
  const folder = existsSync(ours) ? ours : resolve(overlay);
  if (existsSync(join(folder, 'kustomization.yaml'))) return folder;
  throw new DeployError(
    `--overlay ${overlay} is neither one of eventing/overlays nor a folder with a kustomization.yaml`,
  );
}

async function requireTools(): Promise<void> {
  for (const [tool, what] of Object.entries(TOOLS)) {
    await output(tool, ['version', ...(tool === 'kubectl' ? ['--client'] : [])]).catch((error) => {
      if (error.code !== 'ENOENT') throw new DeployError(`${tool} does not run: ${lastLine(error)}`);
      throw new DeployError(`${tool} is not on the PATH: install ${what}`);
    });
  }
}

async function readStages(kustomization: string): Promise<Stages> {
  const overlay = await output('kubectl', ['kustomize', kustomization]).catch((error) => {
    throw new DeployError(`${kustomization} is no kustomization: ${lastLine(error)}`);
  });
  return stagesOf(overlay, new Date());
}

/** @param stage what it is called for the reader */
async function apply(stage: string, manifests: readonly Manifest[]): Promise<void> {
  if (manifests.length === 0) return;
  const file = join(directory, `${stage}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
  await run('kubectl', ['apply', '-f', file], directory);
}

/** func writes into the folder that it deploys from, so it gets a copy. */
async function deployFunction(name: string, digest: string, warm: boolean): Promise<void> {
  const folder = join(directory, name);
  await mkdir(folder);
  const spec = parseDocument(await readFile(join(PROJECT, 'functions', name, 'func.yaml'), 'utf8'));
  if (warm) spec.setIn(['deploy', 'options', 'scale', 'min'], 1);
  await writeFile(join(folder, 'func.yaml'), spec.toString());
  await run('func', ['deploy', '--path', folder, '--image', digest, '--build=false', '--push=false'], directory);
}

/** All kinds of Knative have a condition Ready; func has waited for the functions. */
async function awaitReady({ base, triggers, sources }: Stages): Promise<void> {
  const kinds = [...base, ...triggers, ...sources].flatMap(({ apiVersion, kind }) => {
    const [group = ''] = apiVersion.split('/');
    return group.endsWith('.knative.dev') ? [`${kind.toLowerCase()}.${group}`] : [];
  });
  if (kinds.length === 0) return;
  const all = [[...new Set(kinds)].join(','), '--all', '--for=condition=Ready'];
  await run('kubectl', ['-n', NAMESPACE, 'wait', ...all, `--timeout=${READY_WITHIN_SECONDS}s`], directory);
}
