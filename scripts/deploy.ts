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
import { CERTIFICATES, NAMESPACE, WAITED_FOR } from '../cli/cluster/installation.ts';
import { makeRoomForBroker } from './deploy/broker.ts';
import { checkCluster } from './deploy/checks.ts';
import { GATE_COMPONENTS, requireCluster, requireSecret } from './deploy/cluster.ts';
import { useContext } from './deploy/context.ts';
import { buildImage, digestIn } from './deploy/image.ts';
import { requireKnative } from './deploy/knative.ts';
import { awaitReady } from './deploy/ready.ts';
import { type Manifest, type Stages, stagesOf, withPullSecret } from './deploy/stages.ts';
import { DeployError, lastLine, output, run, say } from './deploy/tools.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = {
  kubectl: 'Kubernetes’ command line, https://kubernetes.io/docs/tasks/tools',
  func: 'Knative’s func, https://knative.dev/docs/functions/install-func',
};
const READY_WITHIN_MS = 120_000;

interface Options {
  readonly image: string;
  readonly overlay: string;
  readonly warm: boolean;
  readonly engine?: string;
  readonly base?: string;
  readonly context?: string;
  readonly imagePullSecret?: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}

const program = new Command('deploy')
  .description('Build the image of the functions once, and deploy them and what they hear of.')
  .requiredOption('--image <image>', 'REPOSITORY to build and push to, or REPOSITORY@sha256:… that was pushed before')
  .option('--overlay <overlay>', 'one of eventing/overlays, or the path of a kustomization of your own', 'kube-ovn')
  .option('--warm', 'keep one each of the functions running that a target waits for; done anyway without gates', false)
  .option('--engine <command>', 'build the Containerfile by podman or buildah, in place of func’s own build')
  .option('--base <image>', 'with --engine: the image with Node.js, in place of the Containerfile’s own')
  .option('--context <name>', 'the context of the kubeconfig; by default its current one')
  .option('--image-pull-secret <name>', 'Secret in the namespace by which the nodes pull the image')
  .option('--dry-run', 'check all, and show what would be applied: nothing is built, pushed or applied', false)
  .option('--force', 'go on where a check is red', false)
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

async function deploy(options: Options): Promise<void> {
  const { image, overlay, warm, engine, base, imagePullSecret, dryRun } = options;
  const kustomization = overlayFolder(overlay);
  const pushed = digestIn(image);
  await requireTools(pushed === undefined ? engine : undefined);
  await useContext(options.context, directory);
  await requireCluster();
  await requireKnative();
  const plain = await readStages(kustomization);
  const stages = imagePullSecret === undefined ? plain : withPullSecret(plain, imagePullSecret);
  const version = await checkCluster(stages, options.force);
  const gate = version && GATE_COMPONENTS[version];
  const entries = await readdir(join(PROJECT, 'functions'), { withFileTypes: true });
  const functions = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const isWarm = (name: string) => (WAITED_FOR as readonly string[]).includes(name) && (warm || gate === undefined);
  if (dryRun) return await show(stages, functions, image, gate);

  const by = engine === undefined ? undefined : { command: engine, base };
  const digest = pushed ?? (await buildImage(image, PROJECT, directory, by));
  await makeRoomForBroker(stages, directory);
  await apply('base', stages.base);
  await requireSecret(NAMESPACE, CERTIFICATES, 'cert, key and cacert for OVN');
  if (imagePullSecret) await requireSecret(NAMESPACE, imagePullSecret, 'by which the nodes pull the image');
  for (const name of functions) await deployFunction(name, digest, isWarm(name));
  await apply('triggers', stages.triggers);
  await apply('sources', stages.sources);
  await awaitReady(knativeKinds(stages), NAMESPACE, READY_WITHIN_MS);
  if (gate) await run('kubectl', ['apply', '-k', join(PROJECT, 'eventing/components', gate)], directory);
  else
    say(`this API server offers no MutatingAdmissionPolicy: no gates, so ${WAITED_FOR.join(' and ')} are kept running`);
  say('done, and all of it is ready. Whether an event goes the whole way: npm run -s cli -- doctor');
}

/** What a deployment would bring, by kubectl's own comparison with what is there. */
async function show(
  { base, triggers, sources }: Stages,
  functions: readonly string[],
  image: string,
  gate: string | undefined,
): Promise<void> {
  await apply('base', base, ['--dry-run=client']);
  say(`func deploy would bring ${functions.join(', ')}, of the image ${image}`);
  await apply('triggers', triggers, ['--dry-run=client']);
  await apply('sources', sources, ['--dry-run=client']);
  if (gate)
    await run('kubectl', ['apply', '--dry-run=client', '-k', join(PROJECT, 'eventing/components', gate)], directory);
  say('nothing was built, pushed or applied');
}

function overlayFolder(overlay: string): string {
  const ours = join(PROJECT, 'eventing/overlays', overlay);
  const folder = existsSync(ours) ? ours : resolve(overlay);
  if (existsSync(join(folder, 'kustomization.yaml'))) return folder;
  throw new DeployError(
    `--overlay ${overlay} is neither one of eventing/overlays nor a folder with a kustomization.yaml`,
  );
}

async function requireTools(engine: string | undefined): Promise<void> {
  const tools =
    engine === undefined ? TOOLS : { ...TOOLS, [engine]: 'an engine with Podman’s commands, or leave out --engine' };
  for (const [tool, what] of Object.entries(tools)) {
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
async function apply(stage: string, manifests: readonly Manifest[], args: readonly string[] = []): Promise<void> {
  if (manifests.length === 0) return;
  const file = join(directory, `${stage}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
  await run('kubectl', ['apply', ...args, '-f', file], directory);
}

/** func writes into the folder that it deploys from, so it gets a copy. */
async function deployFunction(name: string, digest: string, isWarm: boolean): Promise<void> {
  const folder = join(directory, name);
  await mkdir(folder);
  const spec = parseDocument(await readFile(join(PROJECT, 'functions', name, 'func.yaml'), 'utf8'));
  if (isWarm) spec.setIn(['deploy', 'options', 'scale', 'min'], 1);
  await writeFile(join(folder, 'func.yaml'), spec.toString());
  await run('func', ['deploy', '--path', folder, '--image', digest, '--build=false', '--push=false'], directory);
}

/** func has waited for the functions, and they may have become otherwise since. */
function knativeKinds({ base, triggers, sources }: Stages): readonly string[] {
  const kinds = [...base, ...triggers, ...sources].flatMap(({ apiVersion, kind }) => {
    const [group = ''] = apiVersion.split('/');
    return group.endsWith('.knative.dev') ? [`${kind.toLowerCase()}.${group}`] : [];
  });
  return ['services.serving.knative.dev', ...new Set(kinds)];
}
