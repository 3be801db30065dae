import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiException, type Cluster, startCluster, vmims } from './cluster.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ kubevirtWebhook: true });
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const migration = (name: string, vmiName: string, labels = { 'kubevirt.io/vmi-name': vmiName }) =>
  cluster.custom.createNamespacedCustomObject({
    ...vmims,
    body: {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name, labels },
      spec: { vmiName },
    },
  });

async function end(name: string, phase: string): Promise<void> {
  const object = (await cluster.custom.getNamespacedCustomObject({ ...vmims, name })) as object;
  await cluster.custom.replaceNamespacedCustomObjectStatus({ ...vmims, name, body: { ...object, status: { phase } } });
}

test("a second migration of a VMI is denied in KubeVirt's words until the first has ended", async () => {
  await migration('one', 'web-01');
  await expect(migration('two', 'web-01')).rejects.toEqual(apiException(400, 'in-flight migration detected'));
  await migration('of-another', 'web-02');
  await end('one', 'Failed');
  await migration('two', 'web-01');
  await end('two', 'Running');
  await expect(migration('three', 'web-01')).rejects.toEqual(apiException(400, 'in-flight migration detected'));
});

test('a migration without the label is not seen', async () => {
  await migration('unlabelled', 'web-03', {} as never);
  await migration('labelled', 'web-03');
});
