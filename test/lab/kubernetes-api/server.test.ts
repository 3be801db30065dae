import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { ApisApi, CoreV1Api, KubeConfig, VersionApi } from '@kubernetes/client-node';
import { apiException, startCluster, vmis } from './cluster.ts';
import { fixture, targetPod } from './fixtures.ts';

jest.setTimeout(30_000);

const policy = fileURLToPath(new URL('../../../eventing/components/scheduling-gate/policy.yaml', import.meta.url));

test('a client without the token is not let in', async () => {
  await using cluster = await startCluster();
  const stranger = new KubeConfig();
  stranger.loadFromString(cluster.api.kubeconfig.replace(/token: .*/, 'token: guessed'));
  await expect(stranger.makeApiClient(CoreV1Api).listNode()).rejects.toEqual(
    expect.objectContaining({ code: 401, message: expect.stringContaining('Unauthorized') }),
  );
});

test('clients find out what is served', async () => {
  await using cluster = await startCluster();
  expect((await cluster.config.makeApiClient(VersionApi).getCode()).major).toBe('1');
  const { groups } = await cluster.config.makeApiClient(ApisApi).getAPIVersions();
  expect(groups.slice(0, 2)).toMatchObject([
    { name: 'events.k8s.io', preferredVersion: { groupVersion: 'events.k8s.io/v1' } },
    { name: 'kubevirt.io', preferredVersion: { groupVersion: 'kubevirt.io/v1' } },
  ]);
  const { resources } = await cluster.core.getAPIResources();
  expect(resources.map(({ name }) => name).slice(0, 8)).toEqual([
    'pods',
    'pods/status',
    'pods/binding',
    'events',
    'nodes',
    'nodes/status',
    'namespaces',
    'namespaces/status',
  ]);
  const kubevirt = await cluster.custom.getAPIResources(vmis);
  expect(kubevirt.resources.map(({ name }) => name)).not.toContain('virtualmachineinstances/status');
});

test('a path that is not served is NotFound', async () => {
  await using cluster = await startCluster();
  await expect(cluster.custom.listNamespacedCustomObject({ ...vmis, plural: 'unicorns' })).rejects.toEqual(
    apiException(404, 'the server could not find the requested resource'),
  );
});

test('target pods are born with the gates that the policy puts on them', async () => {
  await using cluster = await startCluster({ admission: [policy] });
  const create = (body: object) => cluster.core.createNamespacedPod({ namespace: 'prod', body });
  const target = await create(targetPod());
  expect(target.spec!.schedulingGates).toEqual([{ name: 'ovn-handover.dev/port' }, { name: 'ovn-handover.dev/dual' }]);
  expect(target.status!.conditions).toMatchObject([{ type: 'PodScheduled', reason: 'SchedulingGated' }]);
  const source = await create(fixture('pod-source-running'));
  expect(source.spec!.schedulingGates).toBeUndefined();
});

test('every request leaves a line in the log', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kubernetes-api-'));
  try {
    const log = join(directory, 'requests.jsonl');
    {
      await using cluster = await startCluster({ log });
      await cluster.core.listNode();
      await cluster.core.readNamespacedPod({ namespace: 'prod', name: 'nobody' }).catch(() => {});
    }
    const lines = (await readFile(log, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { verb: 'create', resource: 'namespaces', status: 201 },
      { verb: 'list', resource: 'nodes', status: 200 },
      {
        verb: 'get',
        resource: 'pods',
        namespace: 'prod',
        name: 'nobody',
        status: 404,
        at: expect.stringMatching(/Z$/),
      },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
