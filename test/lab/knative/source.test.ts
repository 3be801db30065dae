import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CoreV1Api, CustomObjectsApi, type KubeConfig } from '@kubernetes/client-node';
import type { Entry } from '../../../lab/knative/journal.ts';
import { ApiServerSource } from '../../../lab/knative/source.ts';
import { source, VMIM } from './support/source.ts';
import { startCluster } from './support/stand-in.ts';
import { type Answer, type Subscriber, startSubscriber } from './support/subscriber.ts';
import { until } from './support/until.ts';

jest.setTimeout(30_000);

let namespace: string;
let cluster: Awaited<ReturnType<typeof startCluster>>;
let config: KubeConfig;
let sink: Subscriber;
let answer: (count: number) => Answer | Promise<Answer>;
let journal: Entry[];
let running: ApiServerSource | undefined;

beforeAll(async () => {
  cluster = await startCluster();
  config = cluster.config;
});
afterAll(() => cluster?.stop());

beforeEach(async () => {
  namespace = await createNamespace();
  answer = () => ({ status: 202 });
  sink = await startSubscriber((_, count) => answer(count));
  journal = [];
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await sink.close();
});

async function start(spec: Record<string, unknown> = {}): Promise<void> {
  running = new ApiServerSource(source(spec), config, { sink: sink.url, journal: (entry) => journal.push(entry) });
  await running.start();
}

async function createNamespace(): Promise<string> {
  const { metadata } = await pods().createNamespace({ body: { metadata: { generateName: 'test-' } } });
  return metadata?.name ?? '';
}

const pods = () => config.makeApiClient(CoreV1Api);

function createPod(name: string, labels: Record<string, string> = { wanted: 'yes' }): Promise<unknown> {
  return pods().createNamespacedPod({
    namespace,
    body: { metadata: { name, labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  });
}

function patchLabels(name: string, labels: Record<string, string>): Promise<unknown> {
  const body = [{ op: 'add', path: '/metadata/labels', value: labels }];
  return pods().patchNamespacedPod({ name, namespace, body });
}

function createMigration(name: string): Promise<unknown> {
  return config.makeApiClient(CustomObjectsApi).createNamespacedCustomObject({
    group: 'kubevirt.io',
    version: 'v1',
    namespace,
    plural: 'virtualmachineinstancemigrations',
    body: { apiVersion: 'kubevirt.io/v1', kind: VMIM, metadata: { name }, spec: { vmiName: 'vm' } },
  });
}

const received = () => sink.received.map(({ event }) => `${event.type.split('.').at(-1)} ${event.name}`);

describe('events of an ApiServerSource', () => {
  it('look as those of the real one', async () => {
    await start();
    await createMigration('m');
    await until('the event has come', () => sink.received.length === 1);
    const { event, headers } = sink.received[0] as Subscriber['received'][number];
    expect(event).toMatchObject({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      type: 'dev.knative.apiserver.resource.add',
      source: config.getCurrentCluster()?.server,
      subject: `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstancemigrations/m`,
      kind: VMIM,
      apiversion: 'kubevirt.io/v1',
      name: 'm',
      namespace,
      datacontenttype: 'application/json',
      data: { apiVersion: 'kubevirt.io/v1', kind: VMIM, metadata: { name: 'm', uid: expect.any(String) } },
    });
    expect(headers).toMatchObject({ 'kn-namespace': 'ovn-handover', 'ce-specversion': '1.0' });
  });

  it('carry what their source adds to each', async () => {
    await start({ ceOverrides: { extensions: { pods: 'all' } } });
    await createPod('p');
    await until('the event has come', () => sink.received.length === 1);
    expect(sink.received[0]?.event).toMatchObject({ kind: 'Pod', pods: 'all' });
  });

  it('have the core API under /apis in their subject', async () => {
    await start();
    await createPod('p');
    await until('the event has come', () => sink.received.length === 1);
    expect(sink.received[0]?.event.subject).toBe(`/apis/v1/namespaces/${namespace}/pods/p`);
    expect(sink.received[0]?.event).toMatchObject({ data: { apiVersion: 'v1', kind: 'Pod' } });
  });

  it('report nothing that was there before', async () => {
    await createPod('before');
    await createMigration('before');
    await start();
    await createPod('after');
    await until('the event has come', () => sink.received.length > 0);
    expect(received()).toEqual(['add after']);
  });

  it('follow the selector: a pod that gains the label is added, one that loses it deleted', async () => {
    await start();
    await createPod('p', {});
    await patchLabels('p', { wanted: 'yes' });
    await patchLabels('p', { wanted: 'yes', more: 'yes' });
    await patchLabels('p', { more: 'yes' });
    await until('all have come', () => sink.received.length === 3);
    expect(received()).toEqual(['add p', 'update p', 'delete p']);
  });
});

describe('delivery to the sink', () => {
  it('keeps the order of a resource, and does not let another resource wait', async () => {
    const release = Promise.withResolvers<Answer>();
    answer = (count) => (count === 1 ? release.promise : { status: 202 });
    await start();
    await createPod('p1');
    await until('the first pod is being delivered', () => sink.received.length === 1);
    await createPod('p2');
    await createMigration('m');
    await until('the migration has come', () => sink.received.length === 2);
    expect(received()).toEqual(['add p1', 'add m']);
    release.resolve({ status: 202 });
    await until('the second pod has come', () => sink.received.length === 3);
  });

  it('tries again after 503, with the same event', async () => {
    answer = (count) => ({ status: count < 3 ? 503 : 202 });
    await start();
    await createPod('p');
    await until('the third attempt has come', () => sink.received.length === 3);
    expect(new Set(sink.received.map(({ event }) => event.id)).size).toBe(1);
    expect(journal).toEqual([]);
  });

  it.each([500, 400, 409])('drops the event after a %d, and goes on with the next', async (status) => {
    answer = (count) => ({ status: count === 1 ? status : 202 });
    await start();
    await createPod('p1');
    await createPod('p2');
    await until('the next one has come', () => sink.received.length === 2);
    expect(received()).toEqual(['add p1', 'add p2']);
    expect(journal).toEqual([expect.objectContaining({ kind: 'dropped', status, attempt: 1 })]);
  });

  it('gives up after six attempts', async () => {
    answer = () => ({ status: 503 });
    await start();
    await createPod('p');
    await until('it is dropped', () => journal.length === 1);
    expect(sink.received).toHaveLength(6);
    expect(journal[0]).toMatchObject({ kind: 'dropped', status: 503, attempt: 6 });
  });
});
