import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { targetOf } from '../../lab/cluster/gate.ts';
import { ApiServer } from './support/api-server.ts';

jest.setTimeout(120_000);

const POLICY = fileURLToPath(new URL('../../eventing/base/pod-patch-policy.yaml', import.meta.url));
const RIGHTS = fileURLToPath(new URL('../../eventing/base/functions-rbac.yaml', import.meta.url));
const FUNCTIONS = ['reuse-port', 'enable-dual-chassis', 'reconcile'] as const;
const PORT_GATE = 'ovn-handover.dev/port';
const DUAL_GATE = 'ovn-handover.dev/dual';
const OTHER_GATE = 'example.com/quota';
const ALL_GATES = [PORT_GATE, DUAL_GATE, OTHER_GATE];

let server: ApiServer;
let administrator: KubeConfig;
let core: CoreV1Api;
let pods = 0;
let target: string;

beforeAll(async () => {
  server = await ApiServer.start();
  administrator = new KubeConfig();
  administrator.loadFromString(await readFile(server.kubeconfig, 'utf8'));
  core = administrator.makeApiClient(CoreV1Api);
  const spec = { containers: [{ name: 'main', image: 'registry.example/app' }] };
  await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name: 'other' }, spec } });
  await server.kubectl('create', 'namespace', 'ovn-handover');
  await server.kubectl('apply', '-f', RIGHTS, '-f', POLICY);
  // The API server learns of a new policy a moment after it has it.
  let said = '';
  for (const giveUpAt = Date.now() + 30_000; !said.includes('ovn-handover-pod-patch'); await sleep(200)) {
    if (Date.now() > giveUpAt) throw new Error(`the policy is not in effect: ${said}`);
    said = await patch('reuse-port', 'other', { metadata: { annotations: { probe: `${Date.now()}` } } });
  }
});
afterAll(() => server?.[Symbol.asyncDispose]());

beforeEach(async () => {
  target = `target-${pods++}`;
  const { metadata, spec } = targetOf('web-01', 'default') as unknown as V1Pod;
  const gates = ALL_GATES.map((name) => ({ name }));
  await core.createNamespacedPod({
    namespace: 'default',
    body: { metadata: { ...metadata, name: target }, spec: { ...spec!, schedulingGates: gates } },
  });
});

/** Patches a pod as a function, by a merge or a list of operations, and gives what the API server says to that. */
async function patch(as: string, name: string, body: object): Promise<string> {
  const config = new KubeConfig();
  config.loadFromString(administrator.exportConfig());
  const user = `system:serviceaccount:ovn-handover:${as}`;
  config.users = config.users.map((each) => ({ ...each, impersonateUser: user }));
  const strategy = Array.isArray(body) ? PatchStrategy.JsonPatch : PatchStrategy.MergePatch;
  const header = setHeaderOptions('Content-Type', strategy);
  const patched = config.makeApiClient(CoreV1Api).patchNamespacedPod({ name, namespace: 'default', body }, header);
  return patched.then(
    () => 'patched',
    (error) => error.body,
  );
}

const gates = (...names: readonly string[]) => ({ spec: { schedulingGates: names.map((name) => ({ name })) } });
const annotated = { metadata: { annotations: { 'ovn-handover.dev/ports': '{}' } } };

describe.each(FUNCTIONS)('%s', (name) => {
  test.each<[string, object, string]>([
    [
      'give it another image',
      [{ op: 'replace', path: '/spec/containers/0/image', value: 'registry.example/evil' }],
      'scheduling gates',
    ],
    ['label it', { metadata: { labels: { 'kubevirt.io/created-by': 'me' } } }, 'only annotations'],
    ['give it a finalizer', { metadata: { finalizers: ['example.com/stay'] } }, 'only annotations'],
    ['give it a node selector', { spec: { nodeSelector: { 'example.com/node': 'mine' } } }, 'scheduling gates'],
    ["take somebody else's gate off", gates(PORT_GATE, DUAL_GATE), "somebody else's"],
  ])('may not change a target pod otherwise: %s', async (_, change, why) => {
    const said = await patch(name, target, change);
    expect(said).toContain('ovn-handover-pod-patch');
    expect(said).toContain(why);
  });

  test('may not add a gate to a target pod, which the API server takes from nobody', async () => {
    const said = await patch(name, target, gates(...ALL_GATES, 'example.com/stay'));
    expect(JSON.parse(said)).toMatchObject({ code: 422, message: expect.stringContaining('schedulingGates') });
  });

  test('may change nothing of any other pod', async () => {
    expect(await patch(name, 'other', annotated)).toContain('only the target pods');
  });

  test.each([
    ['one', [DUAL_GATE, OTHER_GATE]],
    ['the other', [PORT_GATE, OTHER_GATE]],
    ['both', [OTHER_GATE]],
  ])('may take our gates off a target pod: %s', async (_, left) => {
    expect(await patch(name, target, gates(...left))).toBe('patched');
  });
});

describe('the annotations of a target pod', () => {
  test.each(['reuse-port', 'reconcile'])('are %s’s to change, also while it takes a gate off', async (name) => {
    expect(await patch(name, target, { ...annotated, ...gates(DUAL_GATE, OTHER_GATE) })).toBe('patched');
  });

  test('are not enable-dual-chassis’s to change', async () => {
    const said = await patch('enable-dual-chassis', target, { ...annotated, ...gates(PORT_GATE, OTHER_GATE) });
    expect(said).toContain('only reuse-port');
    const removed = await patch('enable-dual-chassis', target, { metadata: { annotations: null } });
    expect(removed).toContain('only reuse-port');
  });
});

test('the policy is no concern of anybody else’s', async () => {
  await server.kubectl('annotate', 'pod', 'other', '-n', 'default', 'a=1');
});
