import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers } from '../migrate/vm.ts';
import { run } from '../testbed/command.ts';
import { startDaemon } from '../testbed/daemon.ts';
import type { Chassis } from '../testbed/description.ts';
import { eventually } from './eventually.ts';
import { NODE_THAT_DIES } from './node-dies.ts';
import type { Act } from './scenario.ts';
import type { Stage } from './stage.ts';

const NEW_NAME = 'chassis-4-anew';

/** A node's Open vSwitch comes back with another system-id, while its VMs run on: the chassis has another name then. */
export const chassisRenamed: Act = {
  title: 'a chassis comes back under another name',
  meetings: {
    'it is renamed': (stage) => rename(stage, NEW_NAME),
    sweep: ({ events }) => events.ping(),
    'it has its old name again': (stage) => rename(stage, chassisOf(stage).name),
  },
  scenarios: [
    {
      name: 'renamed while a port is pinned to it after a migration: one sweep binds it by the new name',
      async play(stage) {
        const { vm, testbed } = stage;
        await vm.migrateTo(NODE_THAT_DIES);
        await stage.meet('it is renamed');
        await stage.meet('sweep');
        await vm.seen('follows or is released', ({ requestedChassis }) => requestedChassis !== chassisOf(stage).name);
        await eventually('the guest answers', () => answers(testbed, vm.interfaces[0].ip));
        await stage.meet('it has its old name again');
        await stage.meet('sweep');
        // Its node dies in another act.
        return [await vm.migrateTo('node1')];
      },
    },
    {
      name: 'renamed while it is the target, and memory is copied',
      async play(stage) {
        const { vm } = stage;
        const migration = await vm.migrate({ to: NODE_THAT_DIES, hold: 'copy' });
        await migration.at('copy');
        await vm.isDual('node1', NODE_THAT_DIES);
        await stage.meet('it is renamed');
        await stage.meet('sweep');
        await migration.touch();
        const both = `${stage.testbed.chassis[0]!.name},${NEW_NAME}`;
        await vm.seen(`is dual for ${both}`, ({ requestedChassis }) => requestedChassis === both);
        await migration.cancel();
        assert.equal(await migration.ended(), 'Failed');
        await stage.meet('it has its old name again');
        await stage.meet('sweep');
        return [vm.pinned(migration)];
      },
    },
  ],
};

function chassisOf({ testbed }: Stage): Chassis {
  const chassis = testbed.chassis.find(({ node }) => node === NODE_THAT_DIES);
  if (chassis === undefined) throw new Error(`The testbed has no ${NODE_THAT_DIES}.`);
  return chassis;
}

/** Ends ovn-controller, which takes its row away, and starts it with another name. */
async function rename(stage: Stage, name: string): Promise<void> {
  const { directory, ovsdb, netns } = chassisOf(stage);
  const { ovn, southbound } = stage.testbed;
  const pid = (await readFile(join(directory, 'ovn-controller.pid'), 'utf8')).trim();
  await run('ovs-appctl', ['-t', join(directory, `ovn-controller.${pid}.ctl`), 'exit']);
  const isGone = () =>
    run('kill', ['-0', pid]).then(
      () => false,
      () => true,
    );
  await eventually('ovn-controller ends', isGone);
  await run('ovs-vsctl', [`--db=${ovsdb}`, 'set', 'Open_vSwitch', '.', `external_ids:system-id=${name}`]);
  await startDaemon({ netns, ovn, program: 'ovn-controller', folder: directory }, [ovsdb]);
  const find = ['--bare', '--columns=name', 'find', 'Chassis', `hostname=${NODE_THAT_DIES}`];
  await eventually(`it is ${name}`, async () => {
    return (await run('ovn-sbctl', [`--db=${southbound}`, ...find])).trim() === name;
  });
  // Its ports are claimed anew.
  await sleep(1_000);
}
