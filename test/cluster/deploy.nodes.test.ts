import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { type ClusterDescription, fabricOf } from '../../lab/cluster/description.ts';
import { eventually } from '../../lab/cluster/eventually.ts';
import { deployment } from '../../lab/cluster/knative/functions.ts';
import { kubectlIn } from '../../lab/cluster/kubectl.ts';
import { vmAnswers } from '../../lab/cluster/kubevirt/vm.ts';
import { standingCluster } from '../../lab/cluster/standing.ts';
import { migration } from '../../lab/kubevirt/manifests.ts';

jest.setTimeout(300_000);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STEPS = ['disable-dual-chassis', 'enable-dual-chassis', 'reconcile', 'release-port', 'reuse-port'];
const START_WITHIN_MS = 3_600_000;

let standing: Awaited<ReturnType<typeof standingCluster>>;
let cluster: ClusterDescription;
let image: string;
let overlay: string;
let folder: string;

beforeAll(async () => {
  standing = await standingCluster(1, () => {});
  cluster = standing.cluster;
  ({ image, overlay } = await deployment(cluster));
  folder = await mkdtemp(join(tmpdir(), 'deploy-test-'));
}, START_WITHIN_MS);
afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
  await standing?.[Symbol.asyncDispose]();
});

const kubectl = (...args: readonly string[]) => kubectlIn(cluster, '-n', 'ovn-handover', ...args);

/** Runs a program where the API server is, with the real func and kubectl on its PATH, and gives all that it said. */
async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
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

function deploy(args: readonly string[] = [], env?: NodeJS.ProcessEnv) {
  const all = ['--image', image, '--overlay', overlay, ...args];
  return run(process.execPath, ['--conditions=source', 'scripts/deploy.ts', ...all], env);
}

/** A PATH on which a tool is first a shell script; `"$REAL" "$@"` in it is the tool itself. */
async function inFrontOf(tool: string, script: string): Promise<NodeJS.ProcessEnv> {
  const own = join(folder, `in-front-of-${tool}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, tool), `#!/bin/sh\nREAL=${binary(tool)}\n${script}`, { mode: 0o755 });
  return { PATH: `${own}:${dirname(binary('func'))}:${process.env.PATH}` };
}

async function template(name: string) {
  return JSON.parse(await kubectl('get', 'ksvc', name, '-o', 'json')).spec.template;
}

/** Knative's objects that are not Ready, as `kind/name`. */
async function notReady(): Promise<string[]> {
  const kinds = 'ksvc,brokers,triggers,apiserversources,pingsources';
  const { items } = JSON.parse(await kubectl('get', kinds, '-o', 'json')) as { items: Conditioned[] };
  return items
    .filter(({ status }) => !status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

interface Conditioned {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Creates a migration of the VM. */
async function migrate(): Promise<string> {
  const [{ name: vmiName, namespace }] = cluster.testbed.vms;
  const file = join(folder, 'vmim.json');
  await writeFile(file, JSON.stringify(migration({ vmiName, namespace })));
  return kubectlIn(cluster, '-n', namespace, 'create', '-f', file, '-o', 'jsonpath={.metadata.name}');
}

function phaseOf(name: string): Promise<string> {
  const [{ namespace }] = cluster.testbed.vms;
  return kubectlIn(cluster, '-n', namespace, 'get', 'vmim', name, '-o', 'jsonpath={.status.phase}');
}

async function succeeded(name: string): Promise<void> {
  await eventually('the migration has succeeded', 180_000, async () => {
    const seen = await phaseOf(name);
    return seen === 'Succeeded' || seen;
  });
}

describe('npm run deploy', () => {
  test('says what is missing before it deploys a function: a tool, the cluster, the overlay', async () => {
    const missing = async (...args: Parameters<typeof deploy>) => {
      const { status, said } = await deploy(...args);
      expect(status).toBe(1);
      return said;
    };
    expect(await missing([], { PATH: '/nowhere' })).toMatch(/^deploy: kubectl is not on the PATH: install .*\n$/);
    expect(await missing([], { KUBECONFIG: '/nowhere' })).toMatch(/^deploy: the cluster .* is not reached: .*\n$/);
    expect(await missing(['--overlay', 'ovn-kube'])).toMatch(/^deploy: --overlay ovn-kube is neither .*\n$/);
  });

  test('makes all Ready, also Triggers whose functions had been deleted, and leaves the work tree as it was', async () => {
    await kubectl('delete', 'ksvc', '--all');
    await eventually('a Trigger misses its function', 30_000, async () => {
      const missing = await notReady();
      return missing.some((name) => name.startsWith('Trigger/')) || `not Ready: ${missing}`;
    });
    const before = await run('git', ['status', '--porcelain']);
    expect(await deploy()).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    expect(await run('git', ['status', '--porcelain'])).toEqual(before);
    expect(await notReady()).toEqual([]);
    const services = await kubectl('get', 'ksvc', '-o', 'name');
    expect(services.split('\n')).toEqual(STEPS.map((step) => `service.serving.knative.dev/${step}`));
    await kubectl('get', 'mutatingadmissionpolicybinding', 'ovn-handover-scheduling-gate');
  });

  test('leaves behind a cluster in which the events of a migration go the whole way and are answered', async () => {
    await succeeded(await migrate());
    const log = await kubectlIn(cluster, '-n', 'knative-serving', 'logs', 'deployment/network-layer', '--since=180s');
    for (const step of ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']) {
      expect(log).toMatch(new RegExp(`"host":"${step}\\..*"status":200`));
    }
  });

  test('upgrades while migrations go on, one after the other, which all end right', async () => {
    let isDone = false;
    const deploying = deploy().finally(() => {
      isDone = true;
    });
    do await succeeded(await migrate());
    while (!isDone);
    expect(await deploying).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    expect(await notReady()).toEqual([]);
    await vmAnswers(cluster, cluster.testbed.vms[0]);
  });

  test('makes room for a Broker of another class', async () => {
    await kubectl('delete', 'brokers', 'migrations');
    const broker = join(folder, 'broker.json');
    const annotations = { 'eventing.knative.dev/broker.class': 'Kafka' };
    const metadata = { name: 'migrations', namespace: 'ovn-handover', annotations };
    await writeFile(
      broker,
      JSON.stringify({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, spec: {} }),
    );
    await kubectl('create', '-f', broker);
    expect(await deploy()).toMatchObject({
      status: 0,
      said: expect.stringContaining('the Broker migrations changes from Kafka to MTChannelBasedBroker'),
    });
    expect(await notReady()).toEqual([]);
  });

  test("waits until Knative's webhooks check what is applied", async () => {
    const inEventing = (...args: readonly string[]) => kubectlIn(cluster, '-n', 'knative-eventing', ...args);
    const webhook = (replicas: number) => inEventing('scale', 'deployment/eventing-webhook', `--replicas=${replicas}`);
    await webhook(0);
    try {
      await inEventing('delete', 'pod', '-l', 'app=eventing-webhook', '--grace-period=0', '--force');
      const rules = ['--type=json', '-p', '[{"op":"remove","path":"/webhooks/0/rules"}]'];
      await inEventing('patch', 'validatingwebhookconfiguration/validation.webhook.eventing.knative.dev', ...rules);
      await inEventing('patch', 'mutatingwebhookconfiguration/webhook.eventing.knative.dev', ...rules);
      const deploying = deploy();
      expect(await Promise.race([deploying, sleep(10_000, 'waits')])).toBe('waits');
      await webhook(1);
      expect(await deploying).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    } finally {
      await webhook(1);
    }
  });

  test('warns of a mesh-compatibility-mode with which an event may wait for a pod that ends', async () => {
    const set = (mode: string) => {
      const patch = JSON.stringify({ data: { 'mesh-compatibility-mode': mode } });
      return kubectlIn(
        cluster,
        '-n',
        'knative-serving',
        'patch',
        'configmap/config-network',
        '--type=merge',
        '-p',
        patch,
      );
    };
    const env = await inFrontOf('func', '[ "$1" = version ] && exec "$REAL" "$@"; exit 1');
    await set('auto');
    const warned = await deploy([], env).finally(() => set('disabled'));
    expect(warned.said).toContain('deploy: warning: Knative Serving has mesh-compatibility-mode auto');
    expect((await deploy([], env)).said).not.toContain('warning');
  });

  test.each(STEPS)(
    'makes of %s a private Service that scales to zero, with its own account, settings and certificates',
    async (step) => {
      const labels = await kubectl('get', 'ksvc', step, '-o', 'jsonpath={.metadata.labels}');
      expect(JSON.parse(labels)).toMatchObject({ 'networking.knative.dev/visibility': 'cluster-local' });
      const { metadata, spec } = await template(step);
      expect(metadata.annotations).toMatchObject({
        'autoscaling.knative.dev/min-scale': '0',
        'autoscaling.knative.dev/max-scale': '3',
      });
      expect(spec).toMatchObject({
        serviceAccountName: step,
        volumes: [{ name: 'secret-ovn-client-tls', secret: { secretName: 'ovn-client-tls' } }],
      });
      const [container] = spec.containers;
      expect(container).toMatchObject({
        image,
        env: expect.arrayContaining([{ name: 'FUNC_STEP', value: step }]),
        envFrom: [{ configMapRef: { name: 'ovn-handover' } }],
        volumeMounts: [{ name: 'secret-ovn-client-tls', mountPath: '/etc/ovn-client-tls' }],
        readinessProbe: { httpGet: { path: '/health/readiness', port: 8080 } },
        livenessProbe: { httpGet: { path: '/health/liveness', port: 8080 } },
        securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
      });
    },
  );

  test.each(STEPS)('func describes %s as it is deployed', async (step) => {
    const own = join(folder, step);
    await promisify(execFile)('cp', ['-r', `functions/${step}`, own], { cwd: PROJECT });
    const { status, said } = await run(binary('func'), ['describe', '--path', own, '--output', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ name: step, namespace: 'ovn-handover', image });
  });

  test('has an image made of the bundle and the Node.js that made its code cache, and deploys that', async () => {
    const context = join(folder, 'context');
    // No registry is here: this is what func leaves behind after a push.
    const env = await inFrontOf(
      'func',
      `[ "$1" = build ] || exec "$REAL" "$@"
      mkdir "$3/.func" && printf %s '${image}' >"$3/.func/built-image" && cp -r "$3" '${context}'`,
    );
    const { status, said } = await deploy(['--image', 'registry.example.com/ovn-handover'], env);
    expect({ status, said }).toMatchObject({ status: 0 });
    expect(said).toMatch(/func build --path \S+ --image registry.example.com\/ovn-handover --push/);
    expect(said).toContain(`--image ${image} --build=false --push=false`);

    expect((await readdir(context)).sort()).toEqual(['.func', 'dist', 'func.yaml', 'package.json']);
    const { scripts, dependencies } = JSON.parse(await readFile(join(context, 'package.json'), 'utf8'));
    const project = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect(scripts).toEqual({ start: project.scripts.start });
    expect(dependencies).toEqual({ node: project.dependencies.node });
  });

  test('keeps running whom a target waits for where it is told to, and where the API server offers no gate', async () => {
    const noGate = await inFrontOf(
      'kubectl',
      `case "$*" in *--raw*admissionregistration.k8s.io/*) echo '{"resources":[]}' ;; *) exec "$REAL" "$@" ;; esac`,
    );
    const scale = async () => (await template('reuse-port')).metadata.annotations['autoscaling.knative.dev/min-scale'];
    expect(await deploy([], noGate)).toMatchObject({
      status: 0,
      said: expect.stringContaining('so reuse-port and enable-dual-chassis are kept running'),
    });
    expect(await scale()).toBe('1');
    expect(await deploy()).toMatchObject({ status: 0 });
    expect(await scale()).toBe('0');
    expect(await deploy(['--warm'])).toMatchObject({ status: 0 });
    expect(await scale()).toBe('1');
    expect(await deploy()).toMatchObject({ status: 0 });
  });
});
