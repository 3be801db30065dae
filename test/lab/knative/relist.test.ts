import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { ResourceWatch } from '../../../lab/knative/resource-watch.ts';
import { type KubernetesApi, startKubernetesApi } from '../../../lab/kubernetes-api/server.ts';
import { startRelay } from './support/relay.ts';
import { until } from './support/until.ts';

jest.setTimeout(60_000);

const HISTORY = 20;
const PODS = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', path: '/api/v1/pods', selector: '' };

let api: KubernetesApi;
let direct: KubeConfig;
let relay: Awaited<ReturnType<typeof startRelay>>;
let watch: ResourceWatch;
let seen: string[];

beforeEach(async () => {
  api = await startKubernetesApi({ history: HISTORY });
  const { port } = new URL(api.url);
  relay = await startRelay(Number(port));
  direct = new KubeConfig();
  direct.loadFromString(api.kubeconfig);
  const relayed = new KubeConfig();
  relayed.loadFromString(api.kubeconfig.replaceAll(`:${port}`, `:${relay.port}`));
  seen = [];
  watch = new ResourceWatch(PODS, relayed, (action, { metadata }) => seen.push(`${action} ${metadata.name}`));
  await watch.start();
  await createPod('before-the-cut');
  await until('the watch works', () => seen.length === 1);
  await relay.cut();
});
afterEach(async () => {
  await watch.stop();
  await relay.cut();
  await api.close();
});

function createPod(name: string): Promise<unknown> {
  return direct.makeApiClient(CoreV1Api).createNamespacedPod({
    namespace: 'default',
    body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  });
}

describe('a watch that was cut', () => {
  it('goes on from where it was, and loses nothing', async () => {
    await createPod('meanwhile');
    await relay.restore();
    await until('the change has come', () => seen.length === 2, 30_000);
    expect(seen).toEqual(['add before-the-cut', 'add meanwhile']);
  });

  it('loses what a list would bring when the API server has forgotten (410)', async () => {
    for (let n = 0; n < HISTORY + 5; n++) await createPod(`meanwhile-${n}`);
    await relay.restore();
    for (let n = 0; seen.length === 1; n++) {
      await createPod(`later-${n}`);
      await sleep(200);
    }
    expect(seen.slice(1).every((change) => change.startsWith('add later-'))).toBe(true);
  });
});
