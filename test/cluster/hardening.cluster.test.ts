/** What a real API server makes of pods in our namespace (Pod Security Standards), and of our egress policy. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { CoreV1Api, type V1SecurityContext } from '@kubernetes/client-node';
import { Installed } from './support/installed.ts';

jest.setTimeout(300_000);

/** As func 0.49 gives it to a function, and Knative 1.23 to queue-proxy and to an ApiServerSource's adapter. */
const FUNC: V1SecurityContext = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const KNATIVE: V1SecurityContext = { ...FUNC, readOnlyRootFilesystem: true };

let api: Installed;
beforeAll(async () => {
  api = await Installed.start();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

async function create(...contexts: readonly V1SecurityContext[]): Promise<string> {
  const containers = contexts.map((securityContext, index) => ({ name: `c${index}`, image: 'none', securityContext }));
  const body = { metadata: { generateName: 'pod-' }, spec: { containers } };
  return await api.server.config
    .makeApiClient(CoreV1Api)
    .createNamespacedPod({ namespace: 'ovn-handover', body, dryRun: 'All' })
    .then(() => 'taken')
    .catch((error: { readonly body: string }) => error.body);
}

test('pods as func and Knative make them are taken in the namespace', async () => {
  expect(await create(FUNC, KNATIVE)).toBe('taken');
});

test.each<[string, V1SecurityContext]>([
  ['may gain privileges', { ...FUNC, allowPrivilegeEscalation: true }],
  ['may become root', { ...FUNC, runAsNonRoot: false }],
  ['keeps its capabilities', { ...FUNC, capabilities: { add: ['NET_ADMIN'] } }],
])('a pod that %s is rejected there', async (_what, context) => {
  expect(await create(context)).toContain('violates PodSecurity');
});

test('the egress policy is one that the API server takes', async () => {
  const ports = await api.server.kubectl(
    '-n',
    'ovn-handover',
    'get',
    'networkpolicy',
    'egress',
    '-o',
    'jsonpath={..port}',
  );
  expect(ports.split(' ')).toEqual(expect.arrayContaining(['53', '6443', '6641', '6642']));
});
