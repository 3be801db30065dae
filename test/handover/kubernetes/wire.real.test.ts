import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LookAgainError, TryAgainError } from '../../../handover/decision/errors.ts';
import { DUAL_GATE, gatesOf, PORT_GATE, type Pod } from '../../../handover/decision/kubevirt.ts';
import { kubernetesClient } from '../../../handover/kubernetes/client.ts';
import { type Exchange, httpsExchange } from '../../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import { Cluster } from '../../../testkit/cluster.ts';
import type { Migration } from '../../../testkit/kubevirt-vm.ts';
import { VMI } from '../../../testkit/moments.ts';

// Over HTTPS, to an API server that has rules of its own.
let cluster: Cluster;
let exchange: Exchange;
let kubernetes: Kubernetes;
let migration: Migration;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.createVm();
  migration = await cluster.migrate('move');
  await migration.createTarget([PORT_GATE, DUAL_GATE, 'example.com/quota']);
  exchange = httpsExchange('ovn-handover/test', cluster.config);
  kubernetes = new Kubernetes(kubernetesClient(exchange));
});
afterAll(() => cluster[Symbol.asyncDispose]());

const target = async () => {
  const { pods } = await kubernetes.objectsOf(VMI);
  return pods.find(({ metadata }) => metadata.name === migration.target) as Pod;
};

test('the objects of a VM come as they are', async () => {
  const { vmi, migrations, pods } = await kubernetes.objectsOf(VMI);
  expect(vmi?.metadata.uid).toBe(cluster.vmi.metadata.uid);
  expect(migrations.map(({ metadata }) => metadata.uid)).toEqual([migration.vmim.metadata.uid]);
  expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual(
    ['virt-launcher-web-01-source', migration.target].sort(),
  );
});

test('a VM that migrates is found by its VMIM and by its target pod, which waits', async () => {
  expect(await kubernetes.migratingVmis()).toEqual([VMI, VMI]);
});

test('a VMI that is not there is told from one of which nobody knows', async () => {
  expect(await kubernetes.networksOf({ ...VMI, name: 'nobody' })).toBeUndefined();
  const elsewhere = kubernetesClient(({ path, ...request }) => exchange({ ...request, path: ['not-served', ...path] }));
  await expect(elsewhere.getVmi(VMI)).rejects.toThrow(TryAgainError);
  await expect(elsewhere.getVmi(VMI)).rejects.toThrow('HTTP 404');
});

test('a pod is let off one gate after the other, and only as it was read', async () => {
  const before = await target();
  expect(gatesOf(before)).toEqual([PORT_GATE, DUAL_GATE]);
  await kubernetes.ungate({ pod: before, gates: [PORT_GATE], annotations: { a: 'b' } });
  const between = await target();
  expect([gatesOf(between), between.metadata.annotations?.a]).toEqual([[DUAL_GATE], 'b']);
  await expect(kubernetes.ungate({ pod: before, gates: [DUAL_GATE], annotations: {} })).rejects.toThrow(LookAgainError);
  await kubernetes.ungate({ pod: between, gates: [DUAL_GATE], annotations: {} });
  expect((await target()).spec.schedulingGates).toEqual([{ name: 'example.com/quota' }]);
  await cluster.deletePod(migration.target);
  await expect(kubernetes.ungate({ pod: between, gates: [], annotations: {} })).resolves.toBeUndefined();
});

test('an event stands on the VMI once, and counts how often it is recorded', async () => {
  const event = { type: 'Normal', reason: 'PortDual', message: 'dual' } as const;
  const context = { vmi: { ...VMI, uid: cluster.vmi.metadata.uid }, component: 'reuse-port' };
  for (let time = 0; time < 3; time++) await kubernetes.record(event, context);
  expect(await cluster.events()).toEqual([{ ...event, by: 'reuse-port' }]);
  const { items } = await cluster.core.listNamespacedEvent({ namespace: VMI.namespace });
  expect(items.map(({ series }) => series?.count)).toEqual([3]);
});
