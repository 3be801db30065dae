/**
 * Brings the functions, and what they hear of, into the cluster of the current kubeconfig. The image is built once; each
 * function is that image under another `FUNC_STEP`. The order matters: first what the functions run with, then the
 * functions, and the gate last, because without them nobody would take it off.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { parseAllDocuments, parseDocument } from 'yaml';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = {
  kubectl: 'Kubernetes’ command line, https://kubernetes.io/docs/tasks/tools',
  func: 'Knative’s func, https://knative.dev/docs/functions/install-func',
};
const NAMESPACE = 'ovn-handover';
const CERTIFICATES = 'ovn-client-tls';
/** Newest first, with the component that is written for it. */
const GATES = [
  { version: 'v1', component: 'scheduling-gate' },
  { version: 'v1beta1', component: 'scheduling-gate-v1beta1' },
];

/** Each takes its scheduling gate off a target; without gates nothing waits for it. */
const WAITED_FOR = ['reuse-port', 'enable-dual-chassis'];

/** Something that whoever deploys has to put right; its message is all they need. */
class DeployError extends Error {
  override readonly name = 'DeployError';
}

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
  await requireSameBrokerClass(kustomization);
  const digest = image.includes('@sha256:') ? image : await build(image);

  await run('kubectl', ['apply', '-k', kustomization]);
  await requireCertificates();
  const functions = await readdir(join(PROJECT, 'functions'), { withFileTypes: true });
  for (const { name } of functions.filter((entry) => entry.isDirectory())) {
    await deployFunction(name, digest, WAITED_FOR.includes(name) && (warm || gate === undefined));
  }
  if (gate) await run('kubectl', ['apply', '-k', join(PROJECT, 'eventing/components', gate)]);
  else
    say(`this API server offers no MutatingAdmissionPolicy: no gates, so ${WAITED_FOR.join(' and ')} are kept running`);
  say('done. What is not ready yet: kubectl -n ovn-handover get ksvc,brokers,triggers,apiserversources,pingsources');
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
      if (error.code !== 'ENOENT') throw new DeployError(`${tool} does not run: ${firstLine(error)}`);
      throw new DeployError(`${tool} is not on the PATH: install ${what}`);
    });
  }
}

interface Broker {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Knative rejects another class for a Broker that is there, when half of the overlay is applied already. */
async function requireSameBrokerClass(kustomization: string): Promise<void> {
  const text = await output('kubectl', ['kustomize', kustomization]).catch((error) => {
    throw new DeployError(`${kustomization} cannot be built: ${firstLine(error)}`);
  });
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Broker);
  for (const wanted of manifests.filter(({ kind }) => kind === 'Broker')) {
    const { name, namespace } = wanted.metadata;
    const get = ['-n', namespace, 'get', 'brokers.eventing.knative.dev', name, '--ignore-not-found', '-o', 'json'];
    const found = await output('kubectl', get).catch((error) => {
      throw new DeployError(`Knative Eventing does not tell of its Brokers: ${firstLine(error)}`);
    });
    const [has, wants] = [found === '' ? wanted : (JSON.parse(found) as Broker), wanted].map(classOf);
    if (has === wants) continue;
    throw new DeployError(
      `Broker ${name} is of class ${has}, which Knative does not let change to ${wants}: delete it first, see docs/guide.md (kubectl -n ${namespace} delete broker ${name})`,
    );
  }
}

function classOf({ metadata }: Broker): string | undefined {
  return metadata.annotations?.['eventing.knative.dev/broker.class'];
}

/** func looks for the Secrets of a function only when it was deployed before; its pods would wait for this one for ever. */
async function requireCertificates(): Promise<void> {
  await output('kubectl', ['-n', NAMESPACE, 'get', 'secret', CERTIFICATES]).catch((error) => {
    throw new DeployError(
      `the functions need the Secret ${CERTIFICATES} in namespace ${NAMESPACE} (cert, key and cacert for OVN), see docs/guide.md: ${firstLine(error)}`,
    );
  });
}

/** The component for the newest version of MutatingAdmissionPolicy that the API server offers. */
async function offeredGate(): Promise<string | undefined> {
  await output('kubectl', ['get', '--raw', '/readyz']).catch((error) => {
    throw new DeployError(`the cluster of the current kubeconfig is not reached: ${firstLine(error)}`);
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

/**
 * Bundles here, by our lock file, and has an image made of the bundle. Installed in it is only the Node.js that the
 * bundle's code cache was made by.
 * @returns the image with its digest
 */
async function build(image: string): Promise<string> {
  await run(process.execPath, ['--conditions=source', 'scripts/build.ts'], PROJECT);
  const context = join(directory, 'image');
  await cp(join(PROJECT, 'dist'), join(context, 'dist'), { recursive: true });
  await cp(join(PROJECT, 'func.yaml'), join(context, 'func.yaml'));
  const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
  const { name, version, type, engines } = manifest;
  const scripts = { start: manifest.scripts.start };
  const dependencies = { node: manifest.dependencies.node };
  await writeFile(
    join(context, 'package.json'),
    JSON.stringify({ name, version, private: true, type, engines, scripts, dependencies }),
  );
  await run('func', ['build', '--path', context, '--image', image, '--push']);
  return readFile(join(context, '.func/built-image'), 'utf8');
}

/** func writes into the folder that it deploys from, so it gets a copy. */
async function deployFunction(name: string, digest: string, warm: boolean): Promise<void> {
  const folder = join(directory, name);
  await mkdir(folder);
  const spec = parseDocument(await readFile(join(PROJECT, 'functions', name, 'func.yaml'), 'utf8'));
  if (warm) spec.setIn(['deploy', 'options', 'scale', 'min'], 1);
  await writeFile(join(folder, 'func.yaml'), spec.toString());
  await run('func', ['deploy', '--path', folder, '--image', digest, '--build=false', '--push=false']);
}

/** Runs a tool for the reader to watch. func also writes into the folder that it is run from. */
async function run(tool: string, args: readonly string[], cwd = directory): Promise<void> {
  say([tool === process.execPath ? 'node' : tool, ...args].join(' '));
  const child = spawn(tool, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status, error] = await new Promise<[number | null, Error?]>((done) => {
    child.once('error', (error) => done([null, error]));
    child.once('exit', (code) => done([code]));
  });
  if (status === 0) return;
  throw new DeployError(
    `${tool} ${args[0]} failed (${error?.message ?? `status ${status}`}), see above; nothing after it was done`,
  );
}

async function output(tool: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(tool, args, { cwd: directory });
  return stdout;
}

function firstLine(error: Error & { stderr?: string }): string {
  return (error.stderr || error.message).trim().split('\n').at(-1) ?? '';
}

function say(line: string): void {
  console.log(`deploy: ${line}`);
}
