import { strict as assert } from 'node:assert';
import { changeEvent } from '../knative/change-event.ts';
import {
  ALLOW_BRIDGE_MIGRATION,
  APP,
  CREATED_BY,
  HOSTNAME,
  MIGRATION_FINALIZER,
  MIGRATION_JOB_UID,
  VMI_NAME,
} from '../kubevirt/labels.ts';
import type { Manifest, OwnerReference, Pod } from '../kubevirt/objects.ts';
import { run } from '../testbed/command.ts';
import { Echo } from './echo.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const SEEN_AND_LEFT = (code: number) => code === 204;

/** Events that come twice, late or forged, other writers, and VMs that are none of ours. */
export const others: readonly Scenario[] = [
  {
    name: 'every event comes three times, and once more long after',
    async play({ vm, cluster, events }) {
      const echo = new Echo(vm, cluster, events, 2);
      await vm.migrateTo('node2');
      const ending = await vm.migrateTo('node1');
      await echo.stop();
      await echo.again();
      return [ending];
    },
  },
  {
    name: 'the events of a migration that failed come again while the next one copies',
    async play({ vm, cluster, events }) {
      const echo = new Echo(vm, cluster, events, 0);
      const first = await vm.migrate({ to: 'node2', fail: 'copy' });
      assert.equal(await first.ended(), 'Failed');
      await echo.stop();
      const second = await vm.migrate({ to: 'node3', hold: 'copy' });
      await second.at('copy');
      await vm.isDual('node1', 'node3');
      await echo.again();
      await second.go();
      assert.equal(await second.ended(), 'Succeeded');
      return [vm.pinned(second)];
    },
  },
  {
    name: 'forged events name another node',
    async play(stage) {
      const { vm, events } = stage;
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      const target = migration.target()!;
      const forged = {
        ...target,
        metadata: { ...target.metadata, name: `${vm.name}-forged` },
        spec: { ...target.spec, nodeName: 'node3' },
      };
      await events.post(changeEvent('https://kubernetes', 'update', forged as never));
      await stage.answered({ name: forged.metadata.name, status: SEEN_AND_LEFT }, 'enable-dual-chassis');
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'a tenant makes pods that look like the target, on another node',
    async play({ vm, cluster }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'containersStart' });
      await migration.at('containersStart');
      const { uid, name } = vm.vmi()!.metadata;
      const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, controller: true };
      const labels = { [APP]: 'virt-launcher', [CREATED_BY]: uid, [MIGRATION_JOB_UID]: migration.uid };
      const owners = [[], [{ ...owner, uid: crypto.randomUUID(), blockOwnerDeletion: true } as OwnerReference]];
      const forged = await Promise.all(owners.map((references) => cluster.createPod(pod(vm, labels, references))));
      await migration.until('they run', () =>
        forged.every((one) => cluster.pods.latest(one)?.status?.phase === 'Running'),
      );
      await migration.go('copy');
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      assert.equal(vm.story(), 'unbound → pinned 1 → dual 1,2 → pinned 2');
      // For Kube-OVN each is a pod of the VM.
      for (const one of forged) await cluster.deletePod(one);
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'somebody binds the port elsewhere while memory is copied',
    async play({ vm, testbed }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await setOptions(testbed.northbound, vm.interfaces[0].port, { 'requested-chassis': 'chassis-3' });
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'somebody strips all options while memory is copied',
    async play({ vm, testbed }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      const port = vm.interfaces[0].port;
      await run('ovn-nbctl', [`--db=${testbed.northbound}`, 'remove', 'Logical_Switch_Port', port, 'options', ...OURS]);
      await migration.go('switchAcknowledged');
      await migration.at('switchAcknowledged');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'somebody writes keys of their own all the time',
    async play({ vm, testbed }) {
      let last = 0;
      let isOver = false;
      const writing = (async () => {
        while (!isOver) await setOptions(testbed.northbound, vm.interfaces[0].port, { theirs: `${++last}` });
      })();
      await vm.migrateTo('node2').finally(() => {
        isOver = true;
      });
      const ending = await vm.migrateTo('node1');
      await writing;
      return [{ ...ending, theirs: { theirs: `${last}` } }];
    },
  },
  {
    name: 'the port is taken away: the migration goes on without it',
    async play({ vm, testbed }) {
      await run('ovn-nbctl', [`--db=${testbed.northbound}`, 'lsp-del', vm.interfaces[0].port]);
      const migration = await vm.migrate({ to: 'node2' });
      assert.equal(await migration.ended(), 'Succeeded');
      return [{ binding: 'no port' }];
    },
  },
  {
    name: 'a VM that is not opted in migrates',
    vms: [{ annotations: {} }],
    async play(stage) {
      const { vm } = stage;
      const migration = await vm.migrate({ to: 'node2' });
      assert.equal(await migration.ended(), 'Succeeded');
      await stage.answered(
        { name: migration.vmim.metadata.name, status: SEEN_AND_LEFT },
        ...['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis'],
      );
      return [vm.unbound()];
    },
  },
  {
    name: 'a VM is opted out while memory is copied',
    async play({ vm, cluster }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await cluster.vmis.update(vm.vmi()!, ({ metadata }) => {
        delete metadata.annotations?.[ALLOW_BRIDGE_MIGRATION];
      });
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'a decentralized migration, to another cluster',
    async play(stage) {
      const { vm, cluster } = stage;
      const vmim = await cluster.vmims.create({
        apiVersion: 'kubevirt.io/v1',
        kind: 'VirtualMachineInstanceMigration',
        metadata: {
          name: `${vm.name}-to-another-cluster`,
          namespace: vm.namespace,
          labels: { [VMI_NAME]: vm.name },
          finalizers: [MIGRATION_FINALIZER],
        },
        spec: { vmiName: vm.name, sendTo: { migrationID: vm.name, connectURL: 'sync.example:9185' } },
      });
      await stage.answered(
        { name: vmim.metadata.name, status: SEEN_AND_LEFT },
        ...['reuse-port', 'enable-dual-chassis'],
      );
      await cluster.vmims.update(vmim, ({ metadata }) => {
        metadata.finalizers = [];
      });
      await cluster.vmims.delete(vmim);
      return [vm.unbound()];
    },
  },
  {
    name: "the target's chassis is not known to OVN: cancelled",
    async play(stage) {
      const { vm, cluster } = stage;
      const migration = await toUnknownNode(stage, 'node8');
      const target = migration.target()!;
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      // No kubelet is there to end it.
      await cluster.deletePod(target, 0);
      return [vm.pinned(migration)];
    },
  },
  {
    name: "the target's chassis is not known to OVN, and registers",
    async play(stage) {
      const { vm, cluster, testbed } = stage;
      const migration = await toUnknownNode(stage, 'node9');
      const target = migration.target()!;
      const sbctl = (...args: string[]) => run('ovn-sbctl', [`--db=${testbed.southbound}`, ...args]);
      await sbctl(
        'chassis-add',
        'chassis-9',
        'geneve',
        '10.250.0.99',
        '--',
        ...['set', 'Chassis', 'chassis-9'],
        'hostname=node9',
      );
      await vm.isDual('node1', 'node9');
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      await vm.isPinnedTo('node1');
      await sbctl('chassis-del', 'chassis-9');
      await cluster.deletePod(target, 0);
      return [vm.pinned(migration)];
    },
  },
];

const OURS = ['requested-chassis', 'activation-strategy'];

async function setOptions(northbound: string, port: string, options: Record<string, string>): Promise<void> {
  const pairs = Object.entries(options).map(([key, value]) => `options:${key}=${value}`);
  await run('ovn-nbctl', [`--db=${northbound}`, 'set', 'Logical_Switch_Port', port, ...pairs]);
}

function pod(vm: Stage['vm'], labels: Record<string, string>, ownerReferences: OwnerReference[]): Manifest<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: `virt-launcher-${vm.name}-`, namespace: vm.namespace, labels, ownerReferences },
    spec: {
      containers: [{ name: 'compute', image: 'quay.io/kubevirt/virt-launcher:v1.9.0' }],
      terminationGracePeriodSeconds: 0,
      nodeSelector: { [HOSTNAME]: 'node3' },
    },
  };
}

/** A migration whose target pod has gone to a node without chassis, which a function has complained of. */
async function toUnknownNode(stage: Stage, node: string) {
  const { vm, cluster } = stage;
  await cluster.registerNode(node, '10.250.0.99');
  const migration = await vm.migrate({ to: node });
  await migration.at('containersStart');
  const { name } = migration.target()!.metadata;
  await stage.answered({ name, status: (code) => code === 503 }, 'enable-dual-chassis');
  await vm.isPinnedTo('node1');
  await cluster.deleteNode(node);
  return migration;
}
