import { jest } from '@jest/globals';
import { EventsV1Api, PatchStrategy, setHeaderOptions, V1MicroTime } from '@kubernetes/client-node';
import { apiException, type Cluster, startCluster, vmims, vmis } from './cluster.ts';
import { fixture, targetPod } from './fixtures.ts';

jest.setTimeout(30_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const patchAs = (strategy: string) => setHeaderOptions('Content-Type', strategy);
const prod = { namespace: 'prod' };
const body = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'compute', image: 'one' }], ...spec },
});

describe('a create', () => {
  test('gives name, uid, version and time of its own', async () => {
    const pod = await cluster.core.createNamespacedPod({
      ...prod,
      body: { ...body(''), metadata: { generateName: 'web-' } },
    });
    expect(pod.metadata).toMatchObject({
      name: expect.stringMatching(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/),
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      resourceVersion: expect.stringMatching(/^\d+$/),
      generation: 1,
      namespace: 'prod',
    });
    expect(Math.abs(Date.now() - pod.metadata!.creationTimestamp!.getTime())).toBeLessThan(60_000);
    expect(pod.status).toEqual({ phase: 'Pending' });
  });

  test('of a name that is taken is AlreadyExists', async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('taken') });
    await expect(cluster.core.createNamespacedPod({ ...prod, body: body('taken') })).rejects.toEqual(
      apiException(409, '"reason":"AlreadyExists","details":{"name":"taken","kind":"pods"}'),
    );
  });

  test('in a namespace that is not there is NotFound', async () => {
    await expect(cluster.core.createNamespacedPod({ namespace: 'nowhere', body: body('one') })).rejects.toEqual(
      apiException(404, 'namespaces \\"nowhere\\" not found'),
    );
  });

  test('without any name is Invalid', async () => {
    await expect(cluster.core.createNamespacedPod({ ...prod, body: { spec: body('').spec } })).rejects.toEqual(
      apiException(422, 'name or generateName is required'),
    );
  });

  test('of a name that is no RFC 1123 subdomain is Invalid', async () => {
    await expect(cluster.core.createNamespacedPod({ ...prod, body: body('Web_01') })).rejects.toEqual(
      apiException(422, 'a lowercase RFC 1123 subdomain must consist of'),
    );
  });

  test('ignores status where status is a subresource', async () => {
    const { status: _, ...vmim } = fixture('vmim-01-pending');
    const created = await cluster.custom.createNamespacedCustomObject({
      ...vmims,
      body: { ...vmim, status: { phase: 'Running' } },
    });
    expect(created).not.toHaveProperty('status');
  });
});

describe('an update', () => {
  test('with a stale resourceVersion is a Conflict', async () => {
    const pod = await cluster.core.createNamespacedPod({ ...prod, body: body('raced') });
    await cluster.core.replaceNamespacedPod({
      ...prod,
      name: 'raced',
      body: { ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } },
    });
    await expect(cluster.core.replaceNamespacedPod({ ...prod, name: 'raced', body: pod })).rejects.toEqual(
      apiException(409, 'the object has been modified; please apply your changes to the latest version and try again'),
    );
  });

  test('of a custom resource without resourceVersion is Invalid', async () => {
    const vmi = await cluster.custom.createNamespacedCustomObject({
      ...vmis,
      body: { ...fixture('vmi-01-idle'), metadata: { name: 'blind' } },
    });
    delete vmi.metadata.resourceVersion;
    await expect(cluster.custom.replaceNamespacedCustomObject({ ...vmis, name: 'blind', body: vmi })).rejects.toEqual(
      apiException(422, 'metadata.resourceVersion: Invalid value: 0: must be specified for an update'),
    );
  });

  test('that changes nothing writes nothing', async () => {
    const pod = await cluster.core.createNamespacedPod({ ...prod, body: body('same') });
    const again = await cluster.core.replaceNamespacedPod({ ...prod, name: 'same', body: pod });
    expect(again.metadata!.resourceVersion).toBe(pod.metadata!.resourceVersion);
  });

  test("of a uid that is not the object's is a Conflict", async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('reborn') });
    const earlier = { ...body('reborn'), metadata: { name: 'reborn', uid: '5d0c1b7e-3f1c-4f0d-8f7b-0f6f3b6a1c22' } };
    await expect(cluster.core.replaceNamespacedPod({ ...prod, name: 'reborn', body: earlier })).rejects.toEqual(
      apiException(409, 'Precondition failed: UID in precondition: 5d0c1b7e'),
    );
  });

  test('by the main verb leaves status alone, by the status verb all else', async () => {
    const created = await cluster.custom.createNamespacedCustomObject({
      ...vmims,
      body: { ...fixture('vmim-01-pending'), metadata: { name: 'halves' } },
    });
    const name = 'halves';
    const labels = { a: 'b' };
    const ofStatus = await cluster.custom.replaceNamespacedCustomObjectStatus({
      ...vmims,
      name,
      body: {
        ...created,
        metadata: { ...created.metadata, labels },
        spec: { vmiName: 'other' },
        status: { phase: 'Scheduling' },
      },
    });
    expect(ofStatus).toMatchObject({
      spec: { vmiName: 'web-01' },
      status: { phase: 'Scheduling' },
      metadata: { generation: 1 },
    });
    expect(ofStatus.metadata.labels).toBeUndefined();
    const ofMain = await cluster.custom.patchNamespacedCustomObject(
      { ...vmims, name, body: { metadata: { labels }, status: { phase: 'Running' } } },
      patchAs(PatchStrategy.MergePatch),
    );
    expect(ofMain).toMatchObject({ metadata: { labels, generation: 1 }, status: { phase: 'Scheduling' } });
  });

  test('of a VMI writes status with the main verb and counts it as a generation', async () => {
    await cluster.custom.createNamespacedCustomObject({
      ...vmis,
      body: { ...fixture('vmi-01-idle'), metadata: { name: 'moved' } },
    });
    const vmi = await cluster.custom.patchNamespacedCustomObject(
      { ...vmis, name: 'moved', body: { status: { nodeName: 'worker-b' } } },
      patchAs(PatchStrategy.MergePatch),
    );
    expect(vmi).toMatchObject({ status: { nodeName: 'worker-b', phase: 'Running' }, metadata: { generation: 2 } });
    await expect(
      cluster.custom.patchNamespacedCustomObjectStatus(
        { ...vmis, name: 'moved', body: {} },
        patchAs(PatchStrategy.MergePatch),
      ),
    ).rejects.toEqual(apiException(404));
  });
});

describe('a patch', () => {
  const merge = patchAs(PatchStrategy.MergePatch);

  test('with another resourceVersion is a Conflict', async () => {
    const pod = await cluster.core.createNamespacedPod({ ...prod, body: body('guarded') });
    const { resourceVersion } = pod.metadata!;
    const write = (annotations: object) =>
      cluster.core.patchNamespacedPod(
        { ...prod, name: 'guarded', body: { metadata: { resourceVersion, annotations } } },
        merge,
      );
    await write({ a: 'b' });
    await expect(write({ a: 'c' })).rejects.toEqual(apiException(409, 'the object has been modified'));
  });

  test('with another uid is Invalid', async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('other-uid') });
    const other = { metadata: { uid: 'other' } };
    await expect(cluster.core.patchNamespacedPod({ ...prod, name: 'other-uid', body: other }, merge)).rejects.toEqual(
      apiException(422, 'field is immutable'),
    );
  });

  test('with a JSON Patch test that fails changes nothing', async () => {
    const pod = await cluster.core.createNamespacedPod({ ...prod, body: body('tested') });
    const operations = [
      { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      { op: 'test', path: '/metadata/uid', value: 'other' },
    ];
    await expect(
      cluster.core.patchNamespacedPod({ ...prod, name: 'tested', body: operations }, patchAs(PatchStrategy.JsonPatch)),
    ).rejects.toEqual(apiException(422, 'the server rejected our request due to an error in our request'));
    expect(await cluster.core.readNamespacedPod({ ...prod, name: 'tested' })).toEqual(pod);
  });
});

describe('a pod', () => {
  test('loses its gates but gains none, and gets its node when the last is gone', async () => {
    const gated = { ...body('gated', { schedulingGates: [{ name: 'a/one' }, { name: 'two' }] }) };
    const name = 'gated';
    const pod = await cluster.core.createNamespacedPod({ ...prod, body: gated });
    expect(pod.status!.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' },
    ]);

    const bind = () =>
      cluster.core.createNamespacedPodBinding({
        ...prod,
        name,
        body: { metadata: { name }, target: { kind: 'Node', name: 'worker-b' } },
      });
    await expect(bind()).rejects.toEqual(
      apiException(
        409,
        'Operation cannot be fulfilled on pods/binding \\"gated\\": pod gated has non-empty .spec.schedulingGates',
      ),
    );

    const patch = (...operations: object[]) =>
      cluster.core.patchNamespacedPod({ ...prod, name, body: operations }, patchAs(PatchStrategy.JsonPatch));
    await expect(patch({ op: 'add', path: '/spec/schedulingGates/-', value: { name: 'three' } })).rejects.toEqual(
      apiException(422, "only deletion is allowed, but found new scheduling gate 'three'"),
    );
    await expect(patch({ op: 'add', path: '/spec/nodeName', value: 'worker-b' })).rejects.toEqual(
      apiException(422, 'cannot be set until all schedulingGates have been cleared'),
    );
    const one = await patch({ op: 'remove', path: '/spec/schedulingGates/0' });
    expect(one.spec!.schedulingGates).toEqual([{ name: 'two' }]);
    const none = await patch({ op: 'remove', path: '/spec/schedulingGates/0' });
    expect(none.spec!.schedulingGates).toBeUndefined();

    await bind();
    const bound = await cluster.core.readNamespacedPod({ ...prod, name });
    expect(bound.spec!.nodeName).toBe('worker-b');
    expect(bound.status!.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    await expect(bind()).rejects.toEqual(apiException(409, 'pod gated is already assigned to node \\"worker-b\\"'));
  });

  test('keeps its spec but for images', async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('fixed') });
    const patch = (...operations: object[]) =>
      cluster.core.patchNamespacedPod({ ...prod, name: 'fixed', body: operations }, patchAs(PatchStrategy.JsonPatch));
    const changed = await patch({ op: 'replace', path: '/spec/containers/0/image', value: 'two' });
    expect(changed.spec!.containers[0]!.image).toBe('two');
    await expect(patch({ op: 'replace', path: '/spec/containers/0/name', value: 'other' })).rejects.toEqual(
      apiException(422, 'pod updates may not change fields other than'),
    );
    await expect(patch({ op: 'add', path: '/spec/nodeName', value: 'worker-b' })).rejects.toEqual(apiException(422));
  });

  test('that runs nowhere goes at once, one on a node waits for its kubelet', async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('nowhere') });
    await cluster.core.deleteNamespacedPod({ ...prod, name: 'nowhere' });
    await expect(cluster.core.readNamespacedPod({ ...prod, name: 'nowhere' })).rejects.toEqual(apiException(404));

    const name = 'somewhere';
    await cluster.core.createNamespacedPod({ ...prod, body: body(name, { nodeName: 'worker-a' }) });
    const deleted = await cluster.core.deleteNamespacedPod({ ...prod, name });
    expect(deleted.metadata).toMatchObject({ deletionTimestamp: expect.any(Date), deletionGracePeriodSeconds: 30 });
    const again = await cluster.core.deleteNamespacedPod({ ...prod, name });
    expect(again.metadata!.resourceVersion).toBe(deleted.metadata!.resourceVersion);
    await cluster.core.deleteNamespacedPod({ ...prod, name, gracePeriodSeconds: 0 });
    await expect(cluster.core.readNamespacedPod({ ...prod, name })).rejects.toEqual(apiException(404));
  });

  test('of another uid is not deleted', async () => {
    await cluster.core.createNamespacedPod({ ...prod, body: body('successor') });
    await expect(
      cluster.core.deleteNamespacedPod({ ...prod, name: 'successor', body: { preconditions: { uid: 'predecessor' } } }),
    ).rejects.toEqual(apiException(409, 'the UID in the precondition (predecessor) does not match the UID in record'));
  });
});

test('an object with finalizers is gone when the last of them is taken off', async () => {
  const name = 'finalized';
  const { finalizers } = fixture('vmim-01-pending').metadata;
  await cluster.custom.createNamespacedCustomObject({
    ...vmims,
    body: { ...fixture('vmim-01-pending'), metadata: { name, finalizers } },
  });
  const deleted = await cluster.custom.deleteNamespacedCustomObject({ ...vmims, name });
  expect(deleted.metadata).toMatchObject({
    deletionTimestamp: expect.any(String),
    deletionGracePeriodSeconds: 0,
    finalizers,
  });
  await cluster.custom.patchNamespacedCustomObject(
    { ...vmims, name, body: { metadata: { finalizers: [] } } },
    patchAs(PatchStrategy.MergePatch),
  );
  await expect(cluster.custom.getNamespacedCustomObject({ ...vmims, name })).rejects.toEqual(apiException(404));
});

test('what only a deleted object owned goes with it', async () => {
  const owner = await cluster.custom.createNamespacedCustomObject({
    ...vmis,
    body: { ...fixture('vmi-01-idle'), metadata: { name: 'owner' } },
  });
  const pod = targetPod();
  const [reference] = pod.metadata.ownerReferences!;
  const owned = {
    ...pod,
    metadata: { ...pod.metadata, name: 'owned', ownerReferences: [{ ...reference!, uid: owner.metadata.uid }] },
  };
  await cluster.core.createNamespacedPod({ ...prod, body: owned as never });
  await cluster.custom.deleteNamespacedCustomObject({ ...vmis, name: 'owner' });
  await expect(cluster.core.readNamespacedPod({ ...prod, name: 'owned' })).rejects.toEqual(apiException(404));
});

describe('an event', () => {
  const about = { kind: 'VirtualMachineInstance', name: 'web-01', namespace: 'prod' };
  const create = (event: object) =>
    cluster.core.createNamespacedEvent({
      ...prod,
      body: { metadata: { generateName: 'web-01.' }, involvedObject: about, ...event },
    });

  test('is found by what it is about', async () => {
    await create({ reason: 'PortPinned', message: 'pinned to worker-a' });
    const fieldSelector = 'involvedObject.kind=VirtualMachineInstance,involvedObject.name=web-01';
    expect((await cluster.core.listNamespacedEvent({ ...prod, fieldSelector })).items).toMatchObject([
      { reason: 'PortPinned' },
    ]);
  });

  test('lives in the namespace of what it is about', async () => {
    await expect(create({ involvedObject: { ...about, namespace: 'default' } })).rejects.toEqual(
      apiException(422, 'does not match event.namespace'),
    );
  });

  test('with eventTime says who reports what action and why', async () => {
    await expect(create({ eventTime: new Date().toISOString() })).rejects.toEqual(
      apiException(422, 'reportingInstance: Required value'),
    );
  });

  test('of the newer API is the same event under other names, and counts up as a series', async () => {
    const events = cluster.config.makeApiClient(EventsV1Api);
    const name = 'web-01.newer';
    const created = await events.createNamespacedEvent({
      ...prod,
      body: {
        metadata: { name },
        eventTime: new V1MicroTime(),
        type: 'Warning',
        reason: 'NoPort',
        action: 'LetTargetGo',
        note: 'no port',
        regarding: about,
        reportingController: 'example.com/reporter',
        reportingInstance: 'reporter-1',
      },
    });
    expect(created).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'no port', regarding: about });
    const patch = (series: object) =>
      events.patchNamespacedEvent(
        { ...prod, name, body: { series } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
    const lastObservedTime = '2026-11-30T10:00:00.000000Z';
    expect(await patch({ count: 2, lastObservedTime })).toMatchObject({ note: 'no port', series: { count: 2 } });
    await expect(patch({ count: 1 })).rejects.toEqual(apiException(422, 'should be at least 2'));
    await expect(patch({ lastObservedTime: null })).rejects.toEqual(
      apiException(422, 'series.lastObservedTime: Required'),
    );
    expect(await cluster.core.readNamespacedEvent({ ...prod, name })).toMatchObject({
      involvedObject: about,
      message: 'no port',
      reportingComponent: 'example.com/reporter',
      series: { count: 2 },
    });
    expect(await events.readNamespacedEvent({ ...prod, name })).toMatchObject({ regarding: about });
    const { items } = await events.listNamespacedEvent(prod);
    expect(items.filter(({ metadata }) => metadata!.name === name)).toMatchObject([{ note: 'no port' }]);
  });
});

test('a list is of one namespace or of all, by labels and by fields', async () => {
  const labels = { listed: 'yes' };
  for (const namespace of ['prod', 'default']) {
    await cluster.core.createNamespacedPod({
      namespace,
      body: { ...body('listed'), metadata: { name: 'listed', labels } },
    });
  }
  const labelSelector = 'listed in (yes),!hidden';
  expect((await cluster.core.listPodForAllNamespaces({ labelSelector })).items).toHaveLength(2);
  const { items, metadata } = await cluster.core.listNamespacedPod({ ...prod, labelSelector });
  expect(items).toMatchObject([{ metadata: { name: 'listed', namespace: 'prod' } }]);
  expect(Number(metadata!.resourceVersion)).toBeGreaterThanOrEqual(Number(items[0]!.metadata!.resourceVersion));
  expect(
    (await cluster.core.listNamespacedPod({ ...prod, labelSelector, fieldSelector: 'spec.nodeName=worker-a' })).items,
  ).toEqual([]);
  await expect(cluster.core.listNamespacedPod({ ...prod, fieldSelector: 'spec.hostname=x' })).rejects.toEqual(
    apiException(400, 'field label not supported: spec.hostname'),
  );
});
