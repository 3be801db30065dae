import { strict as assert } from 'node:assert';
import { PENDING_TIMEOUT } from '../kubevirt/labels.ts';
import { answers } from '../migrate/vm.ts';
import type { Migration } from './migration.ts';
import type { Act, Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** Source, broker and functions are away for a while: nobody ever hears of what happens then, but by `reconcile`. */
export const nobodyListens: Act = {
  title: 'events are lost, functions are away',
  meetings: {
    'they go': ({ events }) => events.stop(),
    'they return': ({ events }) => events.start(),
    sweep: ({ events }) => events.ping(),
  },
  scenarios: [
    {
      name: 'a migration waits at its gate until they return',
      async play(stage) {
        const { vm } = stage;
        await stage.meet('they go');
        const migration = await vm.migrate({ to: 'node2' });
        await migration.until('it waits at its gate', () => migration.target()?.spec.schedulingGates?.length);
        await stage.meet('they return');
        assert.equal(migration.isLetGo(), false);
        await stage.meet('sweep');
        assert.equal(await migration.ended(), 'Succeeded');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'a migration waits at its gate until KubeVirt gives it up',
      async play(stage) {
        const { vm } = stage;
        await stage.meet('they go');
        const migration = await vm.migrate({ to: 'node2', annotations: { [PENDING_TIMEOUT]: '2' } });
        assert.equal(await migration.ended(), 'Failed');
        assert.equal(vm.story(), 'unbound');
        await stage.meet('they return');
        await stage.meet('sweep');
        return [vm.unbound()];
      },
    },
    {
      name: 'they miss that a migration succeeded',
      async play(stage) {
        const { vm } = stage;
        const migration = await dualAndCopying(vm);
        await stage.meet('they go');
        await migration.go();
        assert.equal(await migration.ended(), 'Succeeded');
        await stage.meet('they return');
        await vm.isDual('node1', 'node2');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'they miss that a migration was cancelled',
      async play(stage) {
        const { vm } = stage;
        const migration = await dualAndCopying(vm);
        await stage.meet('they go');
        await migration.cancel();
        assert.equal(await migration.ended(), 'Failed');
        await stage.meet('they return');
        await vm.isDual('node1', 'node2');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'they return before the guest switches',
      async play(stage) {
        const { vm } = stage;
        const migration = await dualAndCopying(vm);
        await stage.meet('they go');
        await stage.meet('they return');
        await migration.go();
        assert.equal(await migration.ended(), 'Succeeded');
        await vm.isPinnedTo('node2');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'they return after the switch, to a port that was never dual',
      async play(stage) {
        const { vm } = stage;
        await stage.meet('they go');
        const migration = await vm.migrate({ to: 'node2', hold: 'switchAcknowledged' });
        await migration.openGate();
        await migration.at('switchAcknowledged');
        await stage.meet('they return');
        await migration.touch();
        await vm.isPinnedTo('node2');
        await migration.go();
        assert.equal(await migration.ended(), 'Succeeded');
        // Armed now, it would wait for an announcement that has come already.
        assert.equal(vm.story(), 'unbound → pinned 2');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'they are away from where the source was bound to the end: the guest is cut off until the sweep',
      async play(stage) {
        const { vm, testbed } = stage;
        const migration = await vm.migrate({ to: 'node2', hold: 'turn' });
        await vm.isPinnedTo('node1');
        await stage.meet('they go');
        await migration.go();
        await migration.openGate();
        assert.equal(await migration.ended(), 'Succeeded');
        assert.equal(await answers(testbed, vm.interfaces[0].ip), false);
        await stage.meet('they return');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'they miss a migration from begin to end',
      async play(stage) {
        const { vm } = stage;
        await stage.meet('they go');
        const migration = await vm.migrate({ to: 'node2' });
        await migration.openGate();
        assert.equal(await migration.ended(), 'Succeeded');
        await stage.meet('they return');
        await stage.meet('sweep');
        assert.equal(vm.story(), 'unbound');
        return [vm.unbound()];
      },
    },
    {
      name: 'they miss that the VM was deleted',
      async play(stage) {
        await stage.vm.migrateTo('node2');
        return deletedUnheard(stage);
      },
    },
    {
      name: 'they miss that the VM was deleted while it migrated',
      async play(stage) {
        await dualAndCopying(stage.vm);
        return deletedUnheard(stage);
      },
    },
    {
      name: 'they miss that the VM started anew on another node',
      async play(stage) {
        const { vm } = stage;
        await vm.migrateTo('node2');
        await stage.meet('they go');
        await vm.restart();
        assert.equal(vm.node(), 'node1');
        await stage.meet('they return');
        await vm.isStripped();
        await stage.meet('sweep');
        return [vm.unbound()];
      },
    },
  ],
};

/** The VM is deleted while nobody listens, and only the sweep is heard. */
async function deletedUnheard(stage: Stage): ReturnType<Scenario['play']> {
  const { vm } = stage;
  await stage.meet('they go');
  await vm.delete();
  await vm.isGone();
  await stage.meet('they return');
  await vm.isStripped();
  await stage.meet('sweep');
  return [{ binding: 'unbound' }];
}

async function dualAndCopying(vm: Stage['vm']): Promise<Migration> {
  const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
  await migration.at('copy');
  await vm.isDual('node1', 'node2');
  return migration;
}
