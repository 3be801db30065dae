/** What a function may write of a VMIM, and what its Events come to, by the word of a real kube-apiserver. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  KubeConfig as Config,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import type { VirtualMachineInstanceMigration } from '../../handover/decision/kubevirt.ts';
import { migrationRecordOf } from '../../handover/decision/migration-record.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import { ApiServer } from './support/api-server.ts';

jest.setTimeout(120_000);

const FILES = ['migration-patch-policy', 'functions-rbac'].map((name) =>
  fileURLToPath(new URL(`../../eventing/base/${name}.yaml`, import.meta.url)),
);
const FUNCTIONS = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'] as const;
const VMIMS = {
  group: 'kubevirt.io',
  version: 'v1',
  namespace: 'default',
  plural: 'virtualmachineinstancemigrations',
};
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'mine', uid: '11111111-1111-4111-8111-111111111111' };
const at = '2026-11-30T10:00:01.000Z';

let server: ApiServer;
let migrations = 0;
let vmim: VirtualMachineInstanceMigration;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.kubectl('create', 'namespace', 'ovn-handover');
  await server.kubectl('apply', ...FILES.flatMap((file) => ['-f', file]));
  vmim = await createMigration();
  // The API server learns of a new policy a moment after it has it.
  let said = '';
  for (const giveUpAt = Date.now() + 30_000; !said.includes('somebody else'); await sleep(200)) {
    if (Date.now() > giveUpAt) throw new Error(`the policy is not in effect: ${said}`);
    said = await patch('reuse-port', { metadata: { annotations: { probe: `${Date.now()}` } } });
  }
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(async () => {
  vmim = await createMigration();
});

async function createMigration(): Promise<VirtualMachineInstanceMigration> {
  const body = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: {
      name: `migrate-${migrations++}`,
      labels: { 'kubevirt.io/vmi-name': 'web-01' },
      annotations: { 'kubevirt.io/latest-observed-api-version': 'v1' },
      finalizers: ['kubevirt.io/migrationJobFinalize'],
    },
    spec: { vmiName: 'web-01' },
  };
  return await server.config.makeApiClient(CustomObjectsApi).createNamespacedCustomObject({ ...VMIMS, body });
}

function accountOf(name: string): KubeConfig {
  const config = new Config();
  config.loadFromString(server.config.exportConfig());
  const user = `system:serviceaccount:ovn-handover:${name}`;
  config.users = config.users.map((each) => ({ ...each, impersonateUser: user }));
  return config;
}

/** Patches the VMIM as a function, by a JSON merge patch, and gives what the API server says to that. */
async function patch(as: string, body: object): Promise<string> {
  const header = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const { name } = vmim.metadata;
  return accountOf(as)
    .makeApiClient(CustomObjectsApi)
    .patchNamespacedCustomObject({ ...VMIMS, name, body }, header)
    .then(
      () => 'patched',
      (error) => error.body,
    );
}

async function present(): Promise<VirtualMachineInstanceMigration> {
  const { name } = vmim.metadata;
  return await server.config.makeApiClient(CustomObjectsApi).getNamespacedCustomObject({ ...VMIMS, name });
}

function kubernetesAs(name: string): Kubernetes {
  return new Kubernetes(kubernetesClient(httpsExchange('test', accountOf(name))));
}

describe.each(FUNCTIONS)('%s', (name) => {
  test('adds to the record of a migration, also on a VMIM that was changed in between', async () => {
    const kubernetes = kubernetesAs(name);
    await kubernetes.recordHistory({ vmim, record: { pinned: { at, by: name, lateMs: 7 } } });
    // Read before the write above.
    await kubernetes.recordHistory({ vmim, record: { warnings: [{ reason: 'NoPort', at }] } });
    const after = await present();
    expect(migrationRecordOf(after)).toEqual({
      pinned: { at, by: name, lateMs: 7 },
      warnings: [{ reason: 'NoPort', at }],
    });
    expect(after.metadata.annotations).toMatchObject({
      'kubevirt.io/latest-observed-api-version': 'v1',
      'ovn-handover.dev/late-ms': '7',
      'ovn-handover.dev/warnings': 'NoPort',
    });
  });

  test.each<[string, object, string]>([
    ['its finalizer', { metadata: { finalizers: null } }, 'only its record'],
    ['its labels', { metadata: { labels: { 'kubevirt.io/vmi-name': 'web-02' } } }, 'only its record'],
    ['what it migrates', { spec: { vmiName: 'web-02' } }, 'only its record'],
    ['who owns it', { metadata: { ownerReferences: [OWNER] } }, 'only its record'],
    ['an annotation of KubeVirt', { metadata: { annotations: { 'kubevirt.io/x': '1' } } }, "somebody else's"],
    [
      'another value of one',
      { metadata: { annotations: { 'kubevirt.io/latest-observed-api-version': 'v2' } } },
      "somebody else's",
    ],
    ['all annotations', { metadata: { annotations: null } }, "somebody else's"],
    ['another one of ours', { metadata: { annotations: { 'ovn-handover.dev/ports': '{}' } } }, "somebody else's"],
    ['a record without end', { metadata: { annotations: { 'ovn-handover.dev/history': 'x'.repeat(4_097) } } }, '4096'],
  ])('may change nothing else of it: %s', async (_, change, why) => {
    const said = await patch(name, change);
    expect(said).toContain('ovn-handover-migration-patch');
    expect(said).toContain(why);
  });
});

test('the policy is no concern of anybody else’s', async () => {
  await server.kubectl('annotate', 'vmim', vmim.metadata.name, '-n', 'default', 'a=1');
});

test('with a VMIM that is gone its record is gone, and nobody fails for that', async () => {
  await server.kubectl(
    'patch',
    'vmim',
    vmim.metadata.name,
    '-n',
    'default',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  );
  await server.kubectl('delete', 'vmim', vmim.metadata.name, '-n', 'default');
  await kubernetesAs('reconcile').recordHistory({ vmim, record: { released: { at } } });
});

test('an event stands on the VMI, and counts how often it came', async () => {
  const vmi = { namespace: 'default', name: 'web-01', uid: '5d0c1b7e-3f1c-4f0d-8f7b-0f6f3b6a1c22' };
  const event = { type: 'Warning', reason: 'NoPort', message: 'no port' } as const;
  const context = { vmi, migration: vmim.metadata, component: 'reuse-port' };
  for (let time = 0; time < 3; time++) await kubernetesAs('reuse-port').record(event, context);
  const fieldSelector = 'involvedObject.name=web-01';
  const { items } = await server.config
    .makeApiClient(CoreV1Api)
    .listNamespacedEvent({ namespace: 'default', fieldSelector });
  expect(items).toMatchObject([
    {
      type: 'Warning',
      reason: 'NoPort',
      action: 'LetTargetGo',
      message: 'no port',
      involvedObject: { kind: 'VirtualMachineInstance', ...vmi },
      related: { kind: 'VirtualMachineInstanceMigration', name: vmim.metadata.name },
      reportingComponent: 'ovn-handover.dev/reuse-port',
      series: { count: 3 },
    },
  ]);
  expect(await server.kubectl('-n', 'default', 'get', 'events.v1.events.k8s.io')).toContain('no port');
});
