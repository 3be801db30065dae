import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { ApiServer } from './support/api-server.ts';
import { ReadyServices } from './support/serving.ts';

jest.setTimeout(120_000);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STEPS = ['disable-dual-chassis', 'enable-dual-chassis', 'reconcile', 'release-port', 'reuse-port'];
/** Nothing listens there: func asks the registry whether the image can be pulled, and goes on without an answer. */
const IMAGE = `127.0.0.1:1/ovn-handover@sha256:${'0'.repeat(64)}`;

let server: ApiServer;
let serving: ReadyServices;

beforeAll(async () => {
  server = await ApiServer.start();
  serving = new ReadyServices(server.config);
});
afterAll(async () => {
  await serving?.[Symbol.asyncDispose]().finally(() => server[Symbol.asyncDispose]());
});

/** Runs a program with the real func and kubectl on its PATH, and gives all that it said. */
async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const PATH = `${dirname(binary('func'))}:${process.env.PATH}`;
  const options = {
    cwd: PROJECT,
    env: { ...process.env, NODE_OPTIONS: '', KUBECONFIG: server.kubeconfig, PATH, ...env },
  };
  return promisify(execFile)(file, args, options).then(
    ({ stdout, stderr }) => ({ status: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ status: code as number, said: `${stdout}${stderr}` }),
  );
}

/** A PATH on which a tool is first a shell script; `"$REAL" "$@"` in it is the tool itself. */
async function inFrontOf(tool: string, script: string): Promise<NodeJS.ProcessEnv> {
  const folder = join(dirname(server.kubeconfig), `in-front-of-${tool}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, tool), `#!/bin/sh\nREAL=${binary(tool)}\n${script}`, { mode: 0o755 });
  return { PATH: `${folder}:${dirname(binary('func'))}:${process.env.PATH}` };
}
const deploy = (args: readonly string[], env?: NodeJS.ProcessEnv) =>
  run(
    process.execPath,
    ['--conditions=source', 'scripts/deploy.ts', ...(args.includes('--image') ? args : ['--image', IMAGE, ...args])],
    env,
  );
const template = async (name: string) =>
  JSON.parse(await server.kubectl('-n', 'ovn-handover', 'get', 'ksvc', name, '-o', 'json')).spec.template;

describe('npm run deploy', () => {
  test('says what is missing before it deploys a function: a tool, the cluster, the overlay, the certificates', async () => {
    const missing = async (...args: Parameters<typeof deploy>) => {
      const { status, said } = await deploy(...args);
      expect(status).toBe(1);
      return said;
    };
    expect(await missing([], { PATH: '/nowhere' })).toMatch(/^deploy: kubectl is not on the PATH: install .*\n$/);
    expect(await missing([], { KUBECONFIG: '/nowhere' })).toMatch(/^deploy: the cluster .* is not reached: .*\n$/);
    expect(await missing(['--overlay', 'ovn-kube'])).toMatch(/^deploy: --overlay ovn-kube is neither .*\n$/);
    expect(await missing([])).toMatch(
      /deploy: the functions need the Secret ovn-client-tls .* see docs\/guide.md: .*\n$/,
    );
    expect(await server.kubectl('get', 'ksvc', '--all-namespaces', '-o', 'name')).toBe('');
  });

  test('brings the overlay, the five functions of one image, and the gate, and leaves the work tree as it was', async () => {
    const before = await run('git', ['status', '--porcelain']);
    await server.kubectl('-n', 'ovn-handover', 'create', 'secret', 'generic', 'ovn-client-tls');
    expect(await deploy([])).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done.') });
    expect(await run('git', ['status', '--porcelain'])).toEqual(before);

    const services = await server.kubectl('-n', 'ovn-handover', 'get', 'ksvc', '-o', 'name');
    expect(services.split('\n')).toEqual(STEPS.map((step) => `service.serving.knative.dev/${step}`));
    await server.kubectl('get', 'mutatingadmissionpolicybinding', 'ovn-handover-scheduling-gate');
  });

  test.each(STEPS)(
    'makes of %s a private Service that scales to zero, with its own account, settings and certificates',
    async (step) => {
      const labels = await server.kubectl(
        '-n',
        'ovn-handover',
        'get',
        'ksvc',
        step,
        '-o',
        'jsonpath={.metadata.labels}',
      );
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
        image: IMAGE,
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
    const folder = `${dirname(server.kubeconfig)}/${step}`;
    await promisify(execFile)('cp', ['-r', `functions/${step}`, folder], { cwd: PROJECT });
    // Knative's webhook gives every Trigger a filter, and func relies on that.
    const triggers = (await server.kubectl('-n', 'ovn-handover', 'get', 'triggers', '-o', 'name')).split('\n');
    const filter = ['--type=merge', '--patch', '{"spec":{"filter":{}}}'];
    await server.kubectl('-n', 'ovn-handover', 'patch', ...triggers, ...filter);
    const { status, said } = await run(binary('func'), ['describe', '--path', folder, '--output', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ name: step, namespace: 'ovn-handover', image: IMAGE });
  });

  test('has an image made of the bundle and the Node.js that made its code cache, and deploys that', async () => {
    const context = join(dirname(server.kubeconfig), 'context');
    // No registry is here: this is what func leaves behind after a push.
    const env = await inFrontOf(
      'func',
      `[ "$1" = build ] || exec "$REAL" "$@"
      mkdir "$3/.func" && printf %s '${IMAGE}' >"$3/.func/built-image" && cp -r "$3" '${context}'`,
    );
    const { status, said } = await deploy(['--image', 'registry.example.com/ovn-handover'], env);
    expect({ status, said }).toMatchObject({ status: 0 });
    expect(said).toMatch(/func build --path \S+ --image registry.example.com\/ovn-handover --push/);
    expect(said).toContain(`--image ${IMAGE} --build=false --push=false`);

    expect((await readdir(context)).sort()).toEqual(['.func', 'dist', 'func.yaml', 'package.json']);
    const { scripts, dependencies } = JSON.parse(await readFile(join(context, 'package.json'), 'utf8'));
    const project = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect(scripts).toEqual({ start: project.scripts.start });
    expect(dependencies).toEqual({ node: project.dependencies.node });
  });

  test('takes the gate for the API version that the server offers, and where there is none keeps running whom a target would wait for', async () => {
    const offering = (versions: readonly string[]) =>
      inFrontOf(
        'kubectl',
        `case "$*" in
        *admissionregistration.k8s.io/${versions[0] ?? 'none'}) echo '{"resources":[{"name":"mutatingadmissionpolicies"}]}' ;;
        *admissionregistration.k8s.io/*) echo '{"resources":[]}' ;;
        *) exec "$REAL" "$@" ;;
        esac`,
      );
    // The real server has v1 only, so it refuses what is written for the older one.
    const older = await deploy([], await offering(['v1beta1']));
    expect(older.said).toMatch(/scheduling-gate-v1beta1\n.*no matches for kind "MutatingAdmissionPolicy"/s);
    expect(older).toMatchObject({ status: 1, said: expect.stringContaining('kubectl apply failed') });
    expect((await template('reuse-port')).metadata.annotations['autoscaling.knative.dev/min-scale']).toBe('0');

    const none = await deploy([], await offering([]));
    expect(none).toMatchObject({
      status: 0,
      said: expect.stringContaining('so reuse-port and enable-dual-chassis are kept running'),
    });
    expect((await template('reuse-port')).metadata.annotations['autoscaling.knative.dev/min-scale']).toBe('1');
  });

  test('does not begin to switch to a Broker of another class while the old one is there', async () => {
    const ofKafka = ['--overlay', 'kube-ovn-kafka'];
    expect(await deploy(ofKafka)).toEqual({
      status: 1,
      said: 'deploy: Broker migrations is of class MTChannelBasedBroker, which Knative does not let change to Kafka: delete it first, see docs/guide.md (kubectl -n ovn-handover delete broker migrations)\n',
    });
    expect(await server.kubectl('get', 'eventtransforms', '--all-namespaces', '-o', 'name')).toBe('');

    await server.kubectl('-n', 'ovn-handover', 'delete', 'broker', 'migrations');
    expect(await deploy(ofKafka)).toMatchObject({ status: 0 });
    const annotations = ['get', 'broker', 'migrations', '-o', 'jsonpath={.metadata.annotations}'];
    expect(await server.kubectl('-n', 'ovn-handover', ...annotations)).toContain(
      'eventing.knative.dev/broker.class":"Kafka"',
    );
    await server.kubectl('-n', 'ovn-handover', 'delete', 'broker', 'migrations');
  });

  test('deploys again, with the functions kept running that a target waits for, and without TLS', async () => {
    expect(await deploy(['--warm', '--overlay', 'kube-ovn-without-tls'])).toMatchObject({ status: 0 });
    const scales = STEPS.map(
      async (step) => (await template(step)).metadata.annotations['autoscaling.knative.dev/min-scale'],
    );
    expect(await Promise.all(scales)).toEqual(['0', '1', '0', '0', '1']);
    expect(
      await server.kubectl(
        '-n',
        'ovn-handover',
        'get',
        'configmap',
        'ovn-handover',
        '-o',
        'jsonpath={.data.OVN_NB_REMOTE}',
      ),
    ).toMatch(/^tcp:/);
  });
});
