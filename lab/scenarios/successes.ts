import { strict as assert } from 'node:assert';
import { ALLOW_BRIDGE_MIGRATION, HOTPLUG } from '../kubevirt/labels.ts';
import type { Scenario } from './scenario.ts';

/** Migrations that succeed. */
export const successes: readonly Scenario[] = [
  {
    name: 'a first migration',
    async play({ vm }) {
      const migration = await vm.migrateArmed({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await migration.go('switchAcknowledged');
      await vm.isOpenOn('node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      await vm.isPinnedTo('node2');
      assert.equal(vm.story(), 'unbound → pinned 1 → dual 1,2 → pinned 2');
      assert.deepEqual(await vm.warnings(), []);
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'there and back, one after the other',
    async play({ vm }) {
      await vm.migrateTo('node2');
      return [await vm.migrateTo('node1')];
    },
  },
  {
    name: 'over three nodes and home',
    async play({ vm }) {
      await vm.migrateTo('node2');
      await vm.migrateTo('node3');
      return [await vm.migrateTo('node1')];
    },
  },
  {
    name: 'back is asked for while the way there still ends',
    async play({ vm }) {
      const there = await vm.migrate({ to: 'node2', hold: 'launcherEnds' });
      assert.equal(await there.ended(), 'Succeeded');
      const back = await vm.migrate({ to: 'node1' });
      await back.until('it is Pending', () => back.phase() === 'Pending');
      await there.go();
      assert.equal(await back.ended(), 'Succeeded');
      return [vm.pinned(back)];
    },
  },
  {
    name: 'two network interfaces',
    vms: [{ nics: 2 }],
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'hotplug volumes: all of it in phase Pending',
    vms: [{ annotations: { [ALLOW_BRIDGE_MIGRATION]: 'true', [HOTPLUG]: 'true' } }],
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'containersStart' });
      await migration.at('containersStart');
      await vm.isDual('node1', 'node2');
      assert.equal(migration.phase(), 'Pending');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'hotplug volumes: KubeVirt replaces the target pod',
    vms: [{ annotations: { [ALLOW_BRIDGE_MIGRATION]: 'true', [HOTPLUG]: 'true' } }],
    async play({ vm, cluster }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'containersStart' });
      await migration.at('containersStart');
      await vm.isDual('node1', 'node2');
      const first = migration.target()!;
      await cluster.deletePod(first);
      await migration.until('another target has a node', () => {
        const target = migration.target();
        return target?.metadata.uid !== first.metadata.uid && target?.spec.nodeName;
      });
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'a node is drained: evacuation',
    async play({ vm, cluster }) {
      await cluster.vmis.update(vm.vmi()!, ({ status }) => {
        if (status) status.evacuationNodeName = 'node1';
      });
      const annotations = { 'kubevirt.io/evacuationMigration': 'node1' };
      const migration = await vm.migrate({ name: `kubevirt-evacuation-${vm.name}`, annotations });
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'two are asked for at once, since the webhook knows the first by its label only: the second waits',
    async play({ vm }) {
      const first = await vm.migrate({ to: 'node2', hold: 'containersStart', isLabelled: false });
      await first.at('containersStart');
      await vm.isDual('node1', 'node2');
      const second = await vm.migrate({ to: 'node3' });
      await second.until('it is Pending', () => second.phase() === 'Pending');
      await first.go('copy');
      await first.at('copy');
      await vm.isDual('node1', 'node2');
      await first.go();
      assert.equal(await first.ended(), 'Succeeded');
      assert.equal(await second.ended(), 'Succeeded');
      assert.match(vm.story(), /^unbound → pinned 1 → dual 1,2 → pinned 2 → (dual|open) 2,3 → pinned 3/);
      return [vm.pinned(second)];
    },
  },
  {
    name: 'a second migration is denied while the first copies',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await assert.rejects(vm.migrate({ to: 'node3' }), /in-flight migration detected/);
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'two VMs of one name, in two namespaces; one migrates',
    vms: [{}, { namespace: 'test' }],
    async play({ vms: [one, other] }) {
      return [await one!.migrateTo('node2'), other!.unbound()];
    },
  },
];
