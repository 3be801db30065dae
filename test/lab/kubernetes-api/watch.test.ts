import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { makeInformer } from '@kubernetes/client-node';
import { type Cluster, startCluster } from './cluster.ts';

jest.setTimeout(30_000);

const path = '/api/v1/namespaces/prod/pods';
const namespace = 'prod';

interface Event {
  readonly type: string;
  readonly object: {
    metadata: { name?: string; resourceVersion: string; annotations?: object };
    code?: number;
    reason?: string;
  };
}

/** Watches until `count` events have come or the server ends the stream, then leaves. */
async function events(cluster: Cluster, query: Record<string, string | boolean | number>, count = Infinity) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: Event[] = [];
  const controller = await cluster.watch.watch(
    path,
    query,
    (type, object) => {
      seen.push({ type, object });
      if (seen.length === count) resolve();
    },
    () => resolve(),
  );
  await promise;
  controller.abort();
  return seen;
}

const create = (cluster: Cluster, name: string, labels: Record<string, string> = {}) =>
  cluster.core.createNamespacedPod({
    namespace,
    body: { metadata: { name, labels }, spec: { containers: [{ name: 'compute', image: 'one' }] } },
  });

const relabel = async (cluster: Cluster, name: string, labels: Record<string, string>) => {
  const pod = await cluster.core.readNamespacedPod({ namespace, name });
  await cluster.core.replaceNamespacedPod({ namespace, name, body: { ...pod, metadata: { ...pod.metadata, labels } } });
};

const brief = (seen: readonly Event[]) => seen.map(({ type, object }) => `${type} ${object.metadata.name}`);

test('a watch without a version begins with what is there', async () => {
  await using cluster = await startCluster();
  await create(cluster, 'one');
  await create(cluster, 'two');
  expect(brief(await events(cluster, {}, 2))).toEqual(['ADDED one', 'ADDED two']);
});

test('a watch from a version tells every change since, and then those to come', async () => {
  await using cluster = await startCluster();
  const { resourceVersion = '' } = (await create(cluster, 'one')).metadata!;
  await relabel(cluster, 'one', { a: 'b' });
  const seen = events(cluster, { resourceVersion }, 3);
  await create(cluster, 'two');
  await cluster.core.deleteNamespacedPod({ namespace, name: 'one' });
  // A pod is marked for deletion before it goes.
  expect(brief(await seen)).toEqual(['MODIFIED one', 'ADDED two', 'MODIFIED one', 'DELETED one']);
});

test('an object that gains or loses the label is added or deleted for the watcher', async () => {
  await using cluster = await startCluster();
  const { resourceVersion = '' } = (await create(cluster, 'one')).metadata!;
  await relabel(cluster, 'one', { watched: '' });
  await relabel(cluster, 'one', { watched: '', other: '' });
  await relabel(cluster, 'one', { other: '' });
  await create(cluster, 'two');
  const seen = await events(cluster, { resourceVersion, labelSelector: 'watched', timeoutSeconds: 1 });
  expect(brief(seen)).toEqual(['ADDED one', 'MODIFIED one', 'DELETED one']);
});

test('a watch of another namespace or another resource sees nothing of it', async () => {
  await using cluster = await startCluster();
  const { resourceVersion = '' } = (await create(cluster, 'one')).metadata!;
  const body = { metadata: { name: 'one' }, spec: { containers: [{ name: 'compute' }] } };
  await cluster.core.createNamespacedPod({ namespace: 'default', body });
  await cluster.core.createNode({ body: { metadata: { name: 'worker-a' } } });
  expect(await events(cluster, { resourceVersion, timeoutSeconds: 1 })).toEqual([]);
});

test('a watch ends after its time, with a bookmark to go on from if it wants one', async () => {
  await using cluster = await startCluster();
  const { resourceVersion = '' } = (await create(cluster, 'one')).metadata!;
  const [bookmark, ...more] = await events(cluster, { resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 1 });
  expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } });
  expect(more).toEqual([]);
});

test('a watch whose time is up says no more, though its client has still to read what came before', async () => {
  await using cluster = await startCluster();
  const annotations = { much: 'x'.repeat(1_000_000) };
  for (let n = 0; n < 20; n++) {
    const body = { metadata: { name: `early-${n}`, annotations }, spec: { containers: [{ name: 'compute' }] } };
    await cluster.core.createNamespacedPod({ namespace, body });
  }
  const ca = Buffer.from(cluster.config.getCurrentCluster()!.caData!, 'base64');
  const headers = { authorization: `Bearer ${cluster.config.getCurrentUser()!.token}` };
  const request = get(`${cluster.api.url}${path}?watch=true&timeoutSeconds=1`, { ca, headers });
  const [watch] = (await once(request, 'response')) as [IncomingMessage];
  await sleep(1_500);
  await create(cluster, 'late');
  const lines = (await text(watch)).trimEnd().split('\n');
  const names = lines.map((line) => JSON.parse(line).object.metadata.name);
  expect(names).toHaveLength(20);
  expect(names).not.toContain('late');
});

test('a streaming list marks the end of what is there', async () => {
  await using cluster = await startCluster();
  await create(cluster, 'one');
  const query = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true };
  const [added, bookmark] = await events(cluster, query, 2);
  expect(added).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } });
  expect(bookmark).toMatchObject({
    type: 'BOOKMARK',
    object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  });
});

test('a watch from a version that is no longer kept is told that it expired, and ends', async () => {
  await using cluster = await startCluster({ history: 2 });
  const { resourceVersion = '' } = (await create(cluster, 'one')).metadata!;
  for (const name of ['two', 'three', 'four']) await create(cluster, name);
  expect(await events(cluster, { resourceVersion })).toMatchObject([
    { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
  ]);
});

test('a watch from a version that is still to come is told so', async () => {
  await using cluster = await startCluster();
  expect(await events(cluster, { resourceVersion: '999999' })).toMatchObject([
    { type: 'ERROR', object: { kind: 'Status', code: 504, reason: 'Timeout' } },
  ]);
});

test('an informer holds what is there, also after its version expired', async () => {
  await using cluster = await startCluster({ history: 2 });
  await create(cluster, 'before');
  const informer = makeInformer(cluster.config, path, () => cluster.core.listNamespacedPod({ namespace }));
  const names = () =>
    informer
      .list(namespace)
      .map(({ metadata }) => metadata!.name)
      .sort();
  const until = async (expected: string[]) => {
    while (names().join() !== expected.join()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  let running = true;
  informer.on('error', () => {
    if (running) void informer.start();
  });
  await informer.start();
  await until(['before']);
  await create(cluster, 'after');
  await until(['after', 'before']);
  running = false;
  await informer.stop();
  for (const name of ['one', 'three', 'two']) await create(cluster, name);
  await cluster.core.deleteNamespacedPod({ namespace, name: 'before' });
  running = true;
  await informer.start();
  await until(['after', 'one', 'three', 'two']);
  running = false;
  await informer.stop();
});
