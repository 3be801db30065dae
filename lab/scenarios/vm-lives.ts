import { strict as assert } from 'node:assert';
import type { Scenario } from './scenario.ts';

/** VMs that end, start anew or die, before, during and after a migration. */
export const lives: readonly Scenario[] = [
  {
    name: 'the VM is deleted after a migration',
    async play({ vm }) {
      await vm.migrateTo('node2');
      await vm.delete();
      await vm.isGone();
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: 'the VM is deleted while its migration waits for its turn',
    async play({ vm }) {
      await vm.migrate({ to: 'node2', hold: 'turn' });
      await vm.isPinnedTo('node1');
      await vm.delete();
      await vm.isGone();
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: 'the VM is deleted while memory is copied',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await vm.delete();
      await vm.isGone();
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: 'the VM is deleted right after the switch',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'switchAcknowledged' });
      await migration.at('switchAcknowledged');
      await vm.delete();
      await migration.go();
      await vm.isGone();
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: 'the VM starts anew while memory is copied',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await vm.restart();
      return [vm.unbound()];
    },
  },
  {
    name: 'the VM starts anew on another node, after a migration',
    async play({ vm }) {
      await vm.migrateTo('node2');
      await vm.restart();
      assert.equal(vm.node(), 'node1');
      return [vm.unbound()];
    },
  },
  {
    name: 'the VM starts anew on another node, and migrates again',
    async play({ vm }) {
      await vm.migrateTo('node2');
      await vm.restart();
      return [await vm.migrateTo('node3')];
    },
  },
  {
    name: 'the guest dies right after the switch',
    async play({ vm }) {
      const vmi = vm.vmi();
      const migration = await vm.migrate({ to: 'node2', hold: 'switchAcknowledged', fail: 'switchAcknowledged' });
      await migration.at('switchAcknowledged');
      await migration.go();
      await vm.isAnother(vmi);
      return [vm.unbound()];
    },
  },
  {
    name: "the guest's pod is deleted while memory is copied",
    async play({ vm, cluster }) {
      const vmi = vm.vmi();
      const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await cluster.deletePod(vm.pod()!);
      await vm.isAnother(vmi);
      return [vm.unbound()];
    },
  },
  {
    name: 'the pod that was left is deleted long after',
    async play({ vm, cluster }) {
      await vm.migrateTo('node2');
      const left = vm.pod()!;
      const ending = await vm.migrateTo('node1');
      await vm.podEnds(left);
      await cluster.deletePod(left);
      return [ending];
    },
  },
];
