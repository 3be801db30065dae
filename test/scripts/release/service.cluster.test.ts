import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { binary } from '../../../lab/cluster/binaries.ts';
import { eventually } from '../../../lab/cluster/eventually.ts';
import { serviceOf } from '../../../scripts/release/service.ts';
import { ApiServer } from '../../cluster/support/api-server.ts';

jest.setTimeout(600_000);

const FUNCTION = fileURLToPath(new URL('../../../functions/reuse-port', import.meta.url));
const IMAGE = `127.0.0.1:1/ovn-handover@sha256:${'a'.repeat(64)}`;
/** What func adds for its own runtimes: when it deployed, and where to listen. */
const NOT_READ: readonly string[] = ['BUILT', 'ADDRESS'];
let api: ApiServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handover-service-'));
  api = await ApiServer.start();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What the API server has of the Service `reuse-port`, of what matters to Knative. */
async function stored(namespace: string) {
  const get = ['get', 'services.serving.knative.dev', 'reuse-port', '--ignore-not-found', '-o', 'json'];
  const text = await api.kubectl('-n', namespace, ...get);
  if (text === '') return undefined;
  const { metadata, spec } = JSON.parse(text);
  const { creationTimestamp: _, ...template } = spec.template.metadata;
  const [{ name: _name, env, ...container }] = spec.template.spec.containers;
  const settings = env.filter((one: { readonly name: string }) => !NOT_READ.includes(one.name));
  return {
    labels: metadata.labels,
    template,
    pod: { ...spec.template.spec, containers: [] },
    container: { ...container, env: settings },
  };
}

test('the Service of a release is that which func deploys, but for the root that is read-only', async () => {
  // func would first take away what it finds in the namespace of its func.yaml, were it told of another one.
  for (const namespace of ['of-release', 'ovn-handover']) await api.kubectl('create', 'namespace', namespace);
  // func looks whether they are there.
  const needed = [
    ['serviceaccount', 'reuse-port'],
    ['configmap', 'ovn-handover'],
    ['secret', 'generic', 'ovn-client-tls'],
  ];
  for (const object of needed) await api.kubectl('-n', 'ovn-handover', 'create', ...object);
  const service = serviceOf(parse(await readFile(join(FUNCTION, 'func.yaml'), 'utf8')), IMAGE);
  const metadata = { ...service.metadata, namespace: 'of-release' };
  await writeFile(join(folder, 'service.json'), JSON.stringify({ ...service, metadata }));
  await api.kubectl('apply', '-f', join(folder, 'service.json'));

  // func writes into the folder that it deploys from.
  const copy = join(folder, 'function');
  await cp(FUNCTION, copy, { recursive: true });
  const args = ['deploy', '--path', copy, '--image', IMAGE, '--build=false', '--push=false'];
  const env = { ...process.env, HOME: folder, KUBECONFIG: api.kubeconfig };
  const deploying = spawn(binary('func'), args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const output of [deploying.stdout, deploying.stderr]) {
    output.on('data', (chunk) => {
      said += chunk;
    });
  }
  try {
    // Then it waits for somebody who makes it ready, and nobody is there.
    await eventually('func has deployed', 120_000, async () => (await stored('ovn-handover')) !== undefined || said);
    const [funcs, ours] = [await stored('ovn-handover'), await stored('of-release')];
    const { readOnlyRootFilesystem, ...securityContext } = ours!.container.securityContext;
    expect(readOnlyRootFilesystem).toBe(true);
    expect({ ...ours!, container: { ...ours!.container, securityContext } }).toEqual(funcs);
  } finally {
    const exit = once(deploying, 'exit');
    if (deploying.exitCode === null) {
      deploying.kill('SIGKILL');
      await exit;
    }
  }
});
