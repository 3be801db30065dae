import { strict as assert } from 'node:assert';
import { ARP_PROXY, SECURITY_GROUPS } from '../kubevirt/labels.ts';
import { answers } from '../migrate/vm.ts';
import { eventually } from './eventually.ts';
import type { Migration } from './migration.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** What Kube-OVN's controller writes to a VM's port, at the moments at which it hurts most. */
export const besideKubeOvn: readonly Scenario[] = [
  {
    name: 'external_ids are written anew in each phase of a migration',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'containersStart' });
      await migration.at('containersStart');
      await vm.isDual('node1', 'node2');
      for (const step of ['handOff', 'targetPrepares', 'sourceStarts', 'copy'] as const) {
        await migration.touchTarget();
        await migration.go(step);
        await migration.at(step);
        await vm.isDual('node1', 'node2');
      }
      await migration.go('switchReported');
      await vm.isOpenOn('node2');
      await migration.touchTarget();
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      await migration.touchTarget();
      await vm.isPinnedTo('node2');
      assert.match(vm.story(), /^unbound → pinned 1 → dual 1,2 → pinned 2/);
      return [vm.pinned(migration)];
    },
  },
  stripped('before the guest announces itself', async ({ vm }) => {
    const migration = await vm.migrate({ to: 'node3', hold: 'copy' });
    await migration.at('copy');
    await vm.isDual('node2', 'node3');
    return migration;
  }),
  stripped('after the guest has announced itself, and nobody knows', async ({ vm }) => {
    const migration = await vm.migrateArmed({ to: 'node3', hold: 'switchReported' });
    await vm.isOpenOn('node3');
    return migration;
  }),
  stripped('before memory is copied', async ({ vm }) => {
    const migration = await vm.migrate({ to: 'node3', hold: 'containersStart' });
    await migration.at('containersStart');
    await vm.isDual('node2', 'node3');
    return migration;
  }),
  {
    name: 'stripped while its target waits for a node: bound to the source again before the target plugs in',
    async play({ vm, cluster }) {
      const left = await leftBehind(vm);
      const migration = await vm.migrate({ to: 'node8' });
      await migration.until('its target is let go', () => migration.isLetGo());
      await cluster.deletePod(left);
      await vm.wasAgain('unbound');
      // A function waits some seconds for Kube-OVN; where it takes longer, the next event mends it.
      await migration.touch();
      await vm.isPinnedTo('node2');
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'fails before hand-off, with external_ids written anew',
    async play({ vm, cluster }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'handOff' });
      await migration.at('handOff');
      await vm.isDual('node1', 'node2');
      await migration.touchTarget();
      await cluster.deletePod(migration.target()!);
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'a security group is added while memory is copied',
    async play({ vm, cluster }) {
      const migration = await copying(vm);
      await cluster.patchPod(vm.pod()!, { metadata: { annotations: { [SECURITY_GROUPS]: 'web' } } });
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      assert.match(vm.story(), /^unbound → pinned 1 → dual 1,2 → pinned 2/);
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'options come back as they were when only the source was bound, while memory is copied',
    async play(stage) {
      const { vm } = stage;
      const migration = await vm.migrate({ to: 'node2', hold: 'turn' });
      await vm.isPinnedTo('node1');
      await vm.letKubeOvnFallBehind();
      await migration.go('copy');
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      return options(stage, migration, 'pinned 1');
    },
  },
  {
    name: 'options come back as they were before the migration, while memory is copied',
    async play(stage) {
      const { vm } = stage;
      await vm.letKubeOvnFallBehind();
      return options(stage, await copying(vm), 'unbound');
    },
  },
  {
    name: 'options come back as they were while memory was copied, after the end',
    async play({ vm }) {
      const migration = await copying(vm);
      await vm.letKubeOvnFallBehind();
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      await vm.isPinnedTo('node2');
      await vm.annotate({ [ARP_PROXY]: '10.0.0.0/8' });
      await vm.wasAgain('dual 1,2');
      await vm.letKubeOvnCatchUp();
      await migration.touchTarget();
      return [{ ...vm.pinned(migration), theirs: { arp_proxy: '10.0.0.0/8' } }];
    },
  },
];

/** Another launcher pod of the VM, which has ended, is deleted while it migrates from node2 to node3. */
function stripped(when: string, begin: (stage: Stage) => Promise<Migration>): Scenario {
  return {
    name: `an old pod is deleted, and the binding stripped, ${when}`,
    async play(stage) {
      const { vm, cluster, testbed } = stage;
      const left = await leftBehind(vm);
      const migration = await begin(stage);
      await cluster.deletePod(left);
      await vm.wasAgain('unbound');
      await vm.isDual('node2', 'node3');
      // The guest is reached wherever it runs, while nobody tells of the switch.
      await eventually('the guest answers', () => answers(testbed, vm.interfaces[0].ip));
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  };
}

/** Migrates to node2, and gives the pod that the guest has left. */
async function leftBehind(vm: Stage['vm']) {
  const left = vm.pod()!;
  await vm.migrateTo('node2');
  await vm.podEnds(left);
  return left;
}

async function copying(vm: Stage['vm']): Promise<Migration> {
  const migration = await vm.migrateArmed({ to: 'node2', hold: 'copy' });
  await migration.at('copy');
  return migration;
}

/** Kube-OVN writes options from its old copy; the next event of the migration mends that. */
async function options({ vm }: Stage, migration: Migration, was: string) {
  await vm.annotate({ [ARP_PROXY]: '10.0.0.0/8' });
  await vm.wasAgain(was);
  await vm.letKubeOvnCatchUp();
  await migration.touch();
  await vm.isDual('node1', 'node2');
  await migration.go();
  assert.equal(await migration.ended(), 'Succeeded');
  return [{ ...vm.pinned(migration), theirs: { arp_proxy: '10.0.0.0/8' } }];
}
