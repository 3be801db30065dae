import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
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
const deploy = (args: readonly string[], env?: NodeJS.ProcessEnv) =>
  run(process.execPath, ['--conditions=source', 'scripts/deploy.ts', '--image', IMAGE, ...args], env);
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
    await server.kubectl(
      '-n',
      'ovn-handover',
      'patch',
      'trigger',
      step,
      '--type=merge',
      '-p',
      '{"spec":{"filter":{}}}',
    );
    const { status, said } = await run(binary('func'), ['describe', '--path', folder, '--output', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ name: step, namespace: 'ovn-handover', image: IMAGE });
  });

  test('deploys again, with reuse-port kept running and without TLS', async () => {
    expect(await deploy(['--warm', '--overlay', 'kube-ovn-without-tls'])).toMatchObject({ status: 0 });
    const scales = STEPS.map(
      async (step) => (await template(step)).metadata.annotations['autoscaling.knative.dev/min-scale'],
    );
    expect(await Promise.all(scales)).toEqual(['0', '0', '0', '0', '1']);
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
