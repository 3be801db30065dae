import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { SCHEDULING_GATE } from '../../handover/decision/kubevirt.ts';
import { targetOf } from '../../lab/cluster/gate.ts';
import { ApiServer } from './support/api-server.ts';

jest.setTimeout(120_000);

const POLICY = fileURLToPath(new URL('../../eventing/base/pod-patch-policy.yaml', import.meta.url));
const RIGHTS = fileURLToPath(new URL('../../eventing/base/functions-rbac.yaml', import.meta.url));
const REUSE_PORT = 'system:serviceaccount:ovn-handover:reuse-port';
const OTHER_GATE = 'example.com/quota';

let server: ApiServer;
let reusePort: CoreV1Api;

beforeAll(async () => {
  server = await ApiServer.start();
  const config = new KubeConfig();
  config.loadFromString(await readFile(server.kubeconfig, 'utf8'));
  config.users = config.users.map((user) => ({ ...user, impersonateUser: REUSE_PORT }));
  reusePort = config.makeApiClient(CoreV1Api);
  const core = server.config.makeApiClient(CoreV1Api);
  const body = { spec: { schedulingGates: [{ name: SCHEDULING_GATE }, { name: OTHER_GATE }] } };
  const target = targetOf('web-01', 'default') as unknown as V1Pod;
  await core.createNamespacedPod({
    namespace: 'default',
    body: { ...target, metadata: { ...target.metadata, name: 'target' }, spec: { ...target.spec!, ...body.spec } },
  });
  const spec = { containers: [{ name: 'main', image: 'registry.example/app' }] };
  await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name: 'other' }, spec } });
  await server.kubectl('create', 'namespace', 'ovn-handover');
  await server.kubectl('apply', '-f', RIGHTS, '-f', POLICY);
  // The API server learns of a new policy a moment after it has it.
  let said = '';
  for (const giveUpAt = Date.now() + 30_000; !said.includes('ovn-handover-pod-patch'); await sleep(200)) {
    if (Date.now() > giveUpAt) throw new Error(`the policy is not in effect: ${said}`);
    said = await patch('other', { metadata: { annotations: { probe: `${Date.now()}` } } });
  }
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Patches a pod as reuse-port does, by a merge or a list of operations, and gives what the API server says to that. */
async function patch(name: string, body: object): Promise<string> {
  const strategy = Array.isArray(body) ? PatchStrategy.JsonPatch : PatchStrategy.MergePatch;
  const header = setHeaderOptions('Content-Type', strategy);
  return reusePort.patchNamespacedPod({ name, namespace: 'default', body }, header).then(
    () => 'patched',
    (error) => error.body,
  );
}

describe('what a function may patch', () => {
  test.each<[string, object, string]>([
    [
      'another image',
      [{ op: 'replace', path: '/spec/containers/0/image', value: 'registry.example/evil' }],
      'scheduling gates',
    ],
    ['a label', { metadata: { labels: { 'kubevirt.io/created-by': 'me' } } }, 'only annotations'],
    ['a finalizer', { metadata: { finalizers: ['example.com/stay'] } }, 'only annotations'],
    ['a node selector', { spec: { nodeSelector: { 'example.com/node': 'mine' } } }, 'scheduling gates'],
    ["somebody else's gate", { spec: { schedulingGates: [{ name: SCHEDULING_GATE }] } }, "somebody else's"],
  ])('is not, of a target pod: %s', async (_, change, why) => {
    const said = await patch('target', change);
    expect(said).toContain('ovn-handover-pod-patch');
    expect(said).toContain(why);
  });

  test('is nothing of any other pod', async () => {
    expect(await patch('other', { metadata: { annotations: { a: '1' } } })).toContain('only the target pods');
  });

  test('is a target pod’s annotations and our gate', async () => {
    const annotations = { 'ovn-handover.dev/ports': '{}' };
    const said = await patch('target', {
      metadata: { annotations },
      spec: { schedulingGates: [{ name: OTHER_GATE }] },
    });
    expect(said).toBe('patched');
  });

  test('is no concern of anybody else’s', async () => {
    await server.kubectl('annotate', 'pod', 'other', '-n', 'default', 'a=1');
  });
});
