/** The event that doctor sends the whole way, and what becomes of it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ClusterApi } from '../../cli/cluster/api.ts';
import { probeTheWay } from '../../cli/doctor/probe.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { type KubernetesApi, startKubernetesApi } from '../../lab/kubernetes-api/server.ts';
import { Cluster } from '../../testkit/cluster.ts';

const WITHIN_MS = 1_200;
const BROKER = {
  metadata: { name: 'migrations' },
  status: { address: { url: 'http://broker-ingress.knative-eventing.svc.cluster.local/ovn-handover/migrations' } },
};

let api: KubernetesApi;
let cluster: Cluster;
let ingress: Server;
let received: Record<string, unknown>[];
/** What `reconcile` logs for an event. */
let logs: (id: string) => string;

beforeEach(async () => {
  received = [];
  logs = () => '';
  api = await startKubernetesApi();
  cluster = await Cluster.of(api.kubeconfig, () => api.close());
  await cluster.core.createNamespace({ body: { metadata: { name: 'ovn-handover' } } });
  await cluster.core.createNamespacedPod({
    namespace: 'ovn-handover',
    body: {
      metadata: { name: 'reconcile-0', labels: { 'serving.knative.dev/service': 'reconcile' } },
      spec: { containers: [{ name: 'user-container', image: 'none' }] },
    },
  });
  ingress = createServer((request, response) => {
    received.push({ url: request.url, ...request.headers });
    response.writeHead(202).end();
  });
  ingress.listen(0, '127.0.0.1');
  await once(ingress, 'listening');
  const { port } = ingress.address() as AddressInfo;
  api.sidePaths.services.set('knative-eventing/broker-ingress', `http://127.0.0.1:${port}`);
  api.sidePaths.logs.set('ovn-handover/reconcile-0', () => logs(String(received[0]?.['ce-id'])));
});
afterEach(async () => {
  await cluster[Symbol.asyncDispose]();
  ingress.close();
});

const probe = (broker: typeof BROKER | undefined = BROKER) => {
  const exchange = httpsExchange('test', cluster.config);
  return probeTheWay(new ClusterApi(exchange), exchange, broker, WITHIN_MS);
};

test('it is one as the PingSource sends, and the line of its sweep is the answer', async () => {
  logs = (id) => `{"level":30,"function":"reconcile","event":"${id}","result":"swept","msg":"looked at 0 VMs"}\n`;
  expect(await probe()).toMatchObject({ is: 'answered', line: expect.stringContaining('looked at 0 VMs') });
  expect(received).toMatchObject([
    { url: '/ovn-handover/migrations', 'ce-type': 'dev.knative.sources.ping', 'ce-specversion': '1.0' },
  ]);
});

test('a sweep of another event is no answer, and is told as the last that was logged', async () => {
  logs = () => '{"event":"another","result":"swept"}\n';
  expect(await probe()).toEqual({ is: 'unanswered', seconds: 1.2, lastLine: '{"event":"another","result":"swept"}' });
});

test('a sweep that failed is no answer: why is told', async () => {
  logs = (id) => `{"event":"${id}","result":"retry","msg":"OVN northbound: no usable server"}\n{"event":"later"}\n`;
  expect(await probe()).toMatchObject({ is: 'unanswered', lastLine: expect.stringContaining('no usable server') });
});

test('a broker that is not there takes nothing, and one without an address is asked for nothing', async () => {
  api.sidePaths.services.clear();
  expect(await probe()).toMatchObject({ is: 'not taken', why: expect.stringContaining('503') });
  expect(await probe({ ...BROKER, status: { address: {} as never } })).toMatchObject({ is: 'left out' });
});
