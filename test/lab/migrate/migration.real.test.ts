/** Whole migrations of a real guest over real OVN, by the built functions in their own processes. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { type ControlPlane, startControlPlane } from '../../../lab/control-plane.ts';
import { migration as migrationManifest } from '../../../lab/kubevirt/manifests.ts';
import { Baseline } from '../../../lab/migrate/baseline.ts';
import { migrateOnce } from '../../../lab/migrate/migration.ts';
import { bindingStory, brokenPromises, type InterfaceResult } from '../../../lab/migrate/result.ts';
import { startVm, type Vm } from '../../../lab/migrate/vm.ts';
import { watchBindings } from '../../../lab/observe/bindings.ts';
import { describeVm } from '../../../lab/testbed/description.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

jest.setTimeout(240_000);

const PACE_MS = 5_000;
const vms: Testbed['vms'] = [describeVm(), describeVm({ name: 'db-01', nics: 2, index: 1 })];
let directory: string;
let testbed: Testbed;
let controlPlane: ControlPlane;

beforeAll(async () => {
  const build = spawnSync(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
  directory = await mkdtemp(join(tmpdir(), 'handover-'));
  testbed = await startTestbed({ directory, prefix: 'handovertest', vms });
});

afterAll(async () => {
  await testbed?.stop();
  await rm(directory, { recursive: true, force: true });
});

afterEach(async () => {
  await controlPlane?.stop();
});

/** A control plane and a VM whose ports were never bound. */
async function start(
  options: { gate?: boolean; functions?: boolean; eventDelayMs?: number },
  vm: Parameters<typeof startVm>[2] = {},
): Promise<Vm> {
  await new Baseline(testbed, vm.vm).reset();
  controlPlane = await startControlPlane({
    testbed,
    gate: true,
    functions: true,
    pingSource: false,
    eventDelayMs: 0,
    paceMs: PACE_MS,
    idleMs: 10_000,
    ...options,
  });
  return startVm(testbed, controlPlane.cluster, vm);
}

/** What a port was bound to before it was as it had been. */
function requestedLast({ bindings }: InterfaceResult): string | undefined {
  return bindings.findLast(({ requestedChassis }) => requestedChassis !== undefined)?.requestedChassis;
}

test('a first migration, events 2 s late and functions cold, costs no connection and no claim fight, and so does the way back', async () => {
  const vm = await start({ eventDelayMs: 2_000 });
  const there = await migrateOnce({ mode: 'handover', testbed, controlPlane, vm, to: 'node2', eventDelayMs: 2_000 });
  expect(brokenPromises(there)).toEqual([]);
  const [nic] = there.interfaces;
  expect(bindingStory(nic)).toEqual(['unbound', 'pinned', 'dual', 'pinned', 'unbound']);
  expect(nic.stolenClaims).toBe(0);
  expect(nic.bindings.findLast(({ requestedChassis }) => requestedChassis !== undefined)).toMatchObject({
    requestedChassis: 'chassis-2',
    record: { 'handover-binding': 'pinned', 'handover-source': 'node1', 'handover-target': 'node2' },
  });
  expect(nic.bindings.at(-1)).toMatchObject({ requestedChassis: undefined, record: {} });
  const functions = ['disable-dual-chassis', 'enable-dual-chassis', 'reconcile', 'reuse-port'];
  expect(Object.keys(there.functions)).toEqual(functions);
  for (const { coldStarts } of Object.values(there.functions)) expect(coldStarts).toHaveLength(1);

  const back = await migrateOnce({ mode: 'handover', testbed, controlPlane, vm, to: 'node1', eventDelayMs: 2_000 });
  expect(brokenPromises(back)).toEqual([]);
  expect(requestedLast(back.interfaces[0])).toBe('chassis-1');
});

test('a VM with two interfaces on two logical switches keeps both, there and back', async () => {
  const vm = await start({}, { vm: vms[1]! });
  for (const to of ['node2', 'node1']) {
    const result = await migrateOnce({ mode: 'handover', testbed, controlPlane, vm, to, eventDelayMs: 0 });
    expect(brokenPromises(result)).toEqual([]);
    expect(result.interfaces.map(({ port }) => port)).toEqual(['db-01.prod', 'db-01.prod.net2.prod.ovn']);
    const chassis = to.replace('node', 'chassis-');
    expect(result.interfaces.map(requestedLast)).toEqual([chassis, chassis]);
  }
});

test('with the functions away the target waits at its gate, the port is not touched and the guest keeps its network', async () => {
  const vm = await start({ functions: false });
  const bindings = await watchBindings(testbed);
  const { cluster } = controlPlane;
  const migration = await cluster.vmims.create(
    migrationManifest({ vmiName: vm.name, namespace: vm.namespace, targetNode: 'node2' }),
  );
  const target = await cluster.until(
    () =>
      cluster.pods.all().find((pod) => pod.metadata.labels?.['kubevirt.io/migrationJobUID'] === migration.metadata.uid),
    AbortSignal.timeout(10_000),
  );
  await sleep(PACE_MS);
  await bindings.stop();
  const gates = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'].map((name) => ({ name }));
  expect(cluster.pods.latest(target)?.spec.schedulingGates).toEqual(gates);
  expect(cluster.pods.latest(target)?.spec.nodeName).toBeUndefined();
  expect(vm.node()).toBe('node1');
  expect(bindings.wanted.list).toHaveLength(1);
  expect(bindings.wanted.last).toMatchObject({ record: {} });
  expect(bindings.claimed.last).toMatchObject({ chassis: 'chassis-1', additionalChassis: [] });
});

test('a VM without the annotation gets no gate, and its port is not touched though the functions run', async () => {
  const vm = await start({}, { annotations: {} });
  const bindings = await watchBindings(testbed);
  const { cluster } = controlPlane;
  const migration = await cluster.vmims.create(
    migrationManifest({ vmiName: vm.name, namespace: vm.namespace, targetNode: 'node2' }),
  );
  await cluster.until(
    () => cluster.vmims.latest(migration)?.status?.phase === 'Succeeded',
    AbortSignal.timeout(60_000),
  );
  await sleep(1_000);
  await bindings.stop();
  expect(vm.node()).toBe('node2');
  expect(bindings.wanted.list).toHaveLength(1);
  expect(bindings.wanted.last).toMatchObject({ record: {} });
});

test('a migration that is cancelled while both chassis are bound goes back to the source alone', async () => {
  const vm = await start({});
  const bindings = await watchBindings(testbed);
  const { cluster } = controlPlane;
  const migration = await cluster.vmims.create(
    migrationManifest({ vmiName: vm.name, namespace: vm.namespace, targetNode: 'node2' }),
  );
  await bindings.wanted.until(({ requestedChassis }) => requestedChassis === 'chassis-1,chassis-2', {
    timeoutMs: 30_000,
  });
  await cluster.vmims.delete(migration);
  // Where the target pod is gone before anybody looks, the port is released at once.
  const isBack = (chassis: string | undefined) => chassis === 'chassis-1' || chassis === undefined;
  await bindings.wanted.until(
    ({ requestedChassis, activationStrategy }) => isBack(requestedChassis) && activationStrategy === undefined,
    { timeoutMs: 30_000 },
  );
  await bindings.stop();
  expect(vm.node()).toBe('node1');
});
