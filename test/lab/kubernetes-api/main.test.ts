import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node';

const main = fileURLToPath(new URL('../../../lab/kubernetes-api/main.ts', import.meta.url));

/** Starting Node and compiling the command takes seconds on a busy machine. */
const patience = 30_000;

let directory: string;
let started: ChildProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-api-'));
});
afterEach(async () => {
  started?.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

function start(...flags: string[]) {
  const command = ['--conditions=ovn-handover-source', main, '--kubeconfig', join(directory, 'kubeconfig'), ...flags];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  started = child;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  return { child, exited: once(child, 'exit'), errors: () => errors };
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'the command serves until %s, also with watches open, and ends with 0',
  async (signal) => {
    const { child, exited } = start('--port', '0');
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    expect(line).toMatch(/^kubernetes-api ready at https:\/\/127\.0\.0\.1:\d+\n$/);
    const kubeconfig = join(directory, 'kubeconfig');
    expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    expect((await config.makeApiClient(CoreV1Api).listNamespace()).items).toHaveLength(2);
    const { promise: watchEnded, resolve } = Promise.withResolvers<void>();
    await new Watch(config).watch(
      '/api/v1/nodes',
      {},
      () => {},
      () => resolve(),
    );
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
    await watchEnded;
  },
  patience,
);

test(
  'a policy that cannot be evaluated ends the command with one line that names it',
  async () => {
    const policy = join(directory, 'policy.yaml');
    await writeFile(policy, 'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n');
    const { exited, errors } = start('--admission', policy);
    expect(await exited).toEqual([1, null]);
    expect(errors()).toBe(
      `kubernetes-api: ${policy}: admissionregistration.k8s.io/v1 MutatingWebhookConfiguration is no ` +
        'MutatingAdmissionPolicy and no MutatingAdmissionPolicyBinding\n',
    );
  },
  patience,
);

test(
  'a log that cannot be written ends the command with one line',
  async () => {
    const { exited, errors } = start('--log', join(directory, 'missing', 'log'));
    expect(await exited).toEqual([1, null]);
    expect(errors()).toMatch(/^kubernetes-api: ENOENT: no such file or directory, open '.*missing\/log'\n$/);
  },
  patience,
);
