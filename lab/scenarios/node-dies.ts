import { strict as assert } from 'node:assert';
import { removeNamespace } from '../testbed/cleanup.ts';
import { run } from '../testbed/command.ts';
import type { Act } from './scenario.ts';
import type { Stage } from './stage.ts';

export const NODE_THAT_DIES = 'node4';

/** A node dies with all that runs there; an operator takes it out of Kubernetes and its chassis out of OVN. */
export const nodeDies: Act = {
  title: 'a node dies',
  meetings: { 'the node dies': die },
  scenarios: [
    {
      name: 'the node dies after a migration to it',
      async play(stage) {
        const { vm } = stage;
        await vm.migrateTo(NODE_THAT_DIES);
        const vmi = vm.vmi();
        await stage.meet('the node dies');
        await vm.isAnother(vmi);
        return [vm.unbound()];
      },
    },
    {
      name: 'the target node dies while memory is copied',
      async play(stage) {
        const { vm } = stage;
        const migration = await vm.migrate({ to: NODE_THAT_DIES, hold: 'copy' });
        await migration.at('copy');
        await vm.isDual('node1', NODE_THAT_DIES);
        await stage.meet('the node dies');
        assert.equal(await migration.ended(), 'Failed');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'the source node dies while memory is copied',
      async play(stage) {
        const { vm } = stage;
        await vm.migrateTo(NODE_THAT_DIES);
        const vmi = vm.vmi();
        const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
        await migration.at('copy');
        await vm.isDual(NODE_THAT_DIES, 'node2');
        await stage.meet('the node dies');
        await vm.isAnother(vmi);
        return [vm.unbound()];
      },
    },
    {
      name: 'the target node dies right after the switch',
      async play(stage) {
        const { vm } = stage;
        const vmi = vm.vmi();
        const migration = await vm.migrate({ to: NODE_THAT_DIES, hold: 'switchAcknowledged' });
        await migration.at('switchAcknowledged');
        await stage.meet('the node dies');
        await vm.isAnother(vmi);
        return [vm.unbound()];
      },
    },
  ],
};

async function die({ testbed, cluster }: Stage): Promise<void> {
  const chassis = testbed.chassis.find(({ node }) => node === NODE_THAT_DIES);
  if (chassis === undefined) throw new Error(`The testbed has no ${NODE_THAT_DIES}.`);
  await removeNamespace(chassis.netns);
  await run('ovn-sbctl', [`--db=${testbed.southbound}`, 'chassis-del', chassis.name]);
  await cluster.deleteNode(NODE_THAT_DIES);
}
