import { strict as assert } from 'node:assert';
import { UNSCHEDULABLE_TIMEOUT } from '../kubevirt/labels.ts';
import { eventually } from './eventually.ts';
import type { Migration, PhasedStep } from './migration.ts';
import type { Scenario } from './scenario.ts';

/** Migrations that are cancelled or fail, in each phase. */
export const failures: readonly Scenario[] = [
  {
    name: 'cancelled before it has a target pod',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'turn' });
      await vm.isPinnedTo('node1');
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'cancelled before its target has a node',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node1' });
      await migration.until('its target is let go', () => migration.isLetGo());
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  cancelledAt('containersStart', 'when its target is plugged'),
  cancelledAt('handOff', 'when its target runs'),
  // From the hand-off on, KubeVirt stops a migration only while it copies.
  cancelledAt('targetPrepares', 'while its target prepares', 'copy'),
  cancelledAt('sourceStarts', 'when its target is ready', 'copy'),
  cancelledAt('copy', 'while it copies'),
  {
    name: 'cancelled too late: the guest has switched',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'switchAcknowledged' });
      await migration.at('switchAcknowledged');
      await migration.cancel();
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      assert.equal(vm.node(), 'node2');
      return [vm.pinned(migration)];
    },
  },
  failsAt('containersStart', "its target's container ends"),
  failsAt('targetPrepares', "its target's launcher ends while it prepares"),
  failsAt('sourceStarts', 'the source cannot begin'),
  failsAt('copy', 'the copy breaks off'),
  failsAt('resume', 'the target announced itself and goes on at the source'),
  {
    name: 'fails: its target pod is deleted while it prepares',
    async play({ vm, cluster }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'targetPrepares' });
      await migration.at('targetPrepares');
      await vm.isDual('node1', 'node2');
      await cluster.deletePod(migration.target()!);
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'fails: its target stays unschedulable too long',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node1', annotations: { [UNSCHEDULABLE_TIMEOUT]: '2' } });
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  againAfterAnnouncement('node2'),
  againAfterAnnouncement('node3'),
  {
    name: 'cancelled, and at once asked for again, to another node',
    async play({ vm }) {
      const first = await vm.migrate({ to: 'node2', hold: 'copy' });
      await first.at('copy');
      await vm.isDual('node1', 'node2');
      await first.cancel();
      // KubeVirt rejects another one until the first has ended.
      const second = await untilAllowed(() => vm.migrate({ to: 'node3' }));
      assert.equal(await first.ended(), 'Failed');
      assert.equal(await second.ended(), 'Succeeded');
      return [vm.pinned(second)];
    },
  },
];

/** @param next where it is to be held after it was cancelled, for it goes on for a while */
function cancelledAt(step: PhasedStep, when: string, next?: PhasedStep): Scenario {
  return {
    name: `cancelled ${when}`,
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: step });
      await migration.at(step);
      await vm.isDual('node1', 'node2');
      await migration.cancel();
      if (next !== undefined) await migration.go(next);
      assert.equal(await migration.ended(), 'Failed');
      assert.equal(vm.node(), 'node1');
      return [vm.pinned(migration)];
    },
  };
}

function failsAt(step: PhasedStep, how: string): Scenario {
  return {
    name: `fails: ${how}`,
    async play({ vm }) {
      const migration = await vm.migrateArmed({ to: 'node2', hold: step, fail: step });
      await migration.at(step);
      if (step === 'resume') await vm.isOpenOn('node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Failed');
      assert.equal(vm.node(), 'node1');
      return [vm.pinned(migration)];
    },
  };
}

async function untilAllowed(migrate: () => Promise<Migration>): Promise<Migration> {
  let migration: Migration | undefined;
  await eventually('KubeVirt lets it migrate again', async () => {
    migration = await migrate().catch(() => undefined);
    return migration !== undefined;
  });
  return migration!;
}

/** OVN remembers who was opened; the next target must not start open. */
function againAfterAnnouncement(node: string): Scenario {
  return {
    name: `a target that had announced itself fails; then to ${node === 'node2' ? 'the same node' : 'another node'}`,
    async play({ vm }) {
      const first = await vm.migrateArmed({ to: 'node2', hold: 'resume', fail: 'resume' });
      await vm.isOpenOn('node2');
      await first.go();
      assert.equal(await first.ended(), 'Failed');
      const second = await vm.migrateArmed({ to: node, hold: 'copy' });
      await second.at('copy');
      assert.deepEqual(vm.openedOn(), []);
      await second.go();
      assert.equal(await second.ended(), 'Succeeded');
      return [vm.pinned(second)];
    },
  };
}
