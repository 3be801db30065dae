import { strict as assert } from 'node:assert';
import { ALLOW_BRIDGE_MIGRATION, SAME_NODE, VMI_NAME } from '../kubevirt/labels.ts';
import { targetPod } from '../kubevirt/manifests.ts';
import { answers } from '../migrate/vm.ts';
import { run } from '../testbed/command.ts';
import { eventually } from './eventually.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** Longer than any VMI's event that was ever seen, and more than a request's usual limit of 1 MiB. */
const BALLAST = 'x'.repeat(1_200_000);

/** Migrations of a kind that is rare, from public reports of those who migrate VMs on OVN. */
export const oddMigrations: readonly Scenario[] = [
  {
    name: 'the target is put on the node of the source: it is let go, and nothing comes of it',
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node1', annotations: { [SAME_NODE]: 'true' } });
      await migration.until('its target has a node', () => migration.target()?.spec.nodeName === 'node1');
      await vm.isPinnedTo('node1');
      await migration.until('it is Scheduled', () => migration.phase() === 'Scheduled');
      await vm.isWarnedOf('TargetOnSourceNode');
      assert.deepEqual([...new Set(await vm.warnings())], ['TargetOnSourceNode']);
      await migration.cancel();
      assert.equal(await migration.ended(), 'Failed');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'the receiving half of a decentralized migration: its gates are taken off',
    vms: [{ isAbsent: true }],
    async play(stage) {
      const { vm, cluster } = stage;
      const metadata = { name: vm.name, namespace: vm.namespace, annotations: { [ALLOW_BRIDGE_MIGRATION]: 'true' } };
      const spec = { evictionStrategy: 'LiveMigrate', domain: NO_DOMAIN, networks: [] };
      const kind = 'VirtualMachineInstance';
      const vmi = await cluster.vmis.create({
        ...{ apiVersion: 'kubevirt.io/v1', kind, metadata, spec },
        ...{ status: { phase: 'WaitingForSync' } },
      });
      const vmim = await cluster.vmims.create({
        apiVersion: 'kubevirt.io/v1',
        kind: 'VirtualMachineInstanceMigration',
        metadata: { generateName: `${vm.name}-receive-`, namespace: vm.namespace, labels: { [VMI_NAME]: vm.name } },
        spec: { vmiName: vm.name, receive: { migrationID: vm.name } },
      });
      const target = await cluster.createPod(targetPod(vmi, vmim));
      assert.ok((target.spec.schedulingGates ?? []).length > 0);
      await eventually('it has no gates', async () => !cluster.pods.latest(target)?.spec.schedulingGates?.length);
      await cluster.vmims.delete(vmim);
      await cluster.vmis.delete(vmi);
      await eventually('its pod is gone', async () => cluster.pods.latest(target) === undefined);
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: "the VMIM has no label: KubeVirt's webhooks had no part in it",
    async play({ vm }) {
      const migration = await vm.migrate({ to: 'node2', hold: 'copy', isLabelled: false });
      await migration.at('copy');
      await vm.isDual('node1', 'node2');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'a chassis of another cluster has the hostname of the target',
    async play({ vm, testbed }) {
      const sbctl = (...args: string[]) => run('ovn-sbctl', [`--db=${testbed.southbound}`, ...args]);
      const set = ['set', 'Chassis', 'remote-1', 'hostname=node3', 'other_config:is-remote=true'];
      await sbctl('chassis-add', 'remote-1', 'geneve', '10.250.0.98', '--', ...set);
      const migration = await vm.migrate({ to: 'node3', hold: 'copy' });
      await migration.at('copy');
      await vm.isDual('node1', 'node3');
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      await vm.isPinnedTo('node3');
      await sbctl('chassis-del', 'remote-1');
      return [vm.pinned(migration)];
    },
  },
  {
    name: 'an interface is plugged in by a migration, and another migration follows at once',
    vms: [{ nics: 2 }],
    async play(stage) {
      const { vm } = stage;
      const [, second] = vm.interfaces;
      const lsp = await takeAway(stage, second!.port);
      const first = await vm.migrate({ to: 'node2', hold: 'copy' });
      await first.at('copy');
      await lsp.putBack();
      await first.go();
      assert.equal(await first.ended(), 'Succeeded');
      const next = await vm.migrate({ to: 'node3', hold: 'copy' });
      await next.at('copy');
      await vm.isDual('node2', 'node3');
      await next.go();
      assert.equal(await next.ended(), 'Succeeded');
      await eventually('its second interface answers', () => answers(stage.testbed, second!.ip));
      return [vm.pinned(next)];
    },
  },
  {
    name: 'a VMI of more than 1 MiB migrates and is deleted',
    async play({ vm, cluster }) {
      await cluster.vmis.update(vm.vmi()!, ({ spec }) => {
        Object.assign(spec, { volumes: [{ name: 'init', cloudInitNoCloud: { userData: BALLAST } }] });
      });
      await vm.migrateTo('node2');
      await vm.delete();
      await vm.isGone();
      return [{ binding: 'unbound' }];
    },
  },
  {
    name: 'KubeVirt tells of the switch 8 s late, and all at once',
    async play({ vm, testbed }) {
      const migration = await vm.migrateArmed({ to: 'node2', hold: 'switchReported' });
      await vm.isOpenOn('node2');
      const { ip } = vm.interfaces[0];
      for (const until = Date.now() + 8_000; Date.now() < until; ) {
        // A single ping may take too long on a busy machine; a port that stays closed takes all of them.
        await eventually(
          'the guest answers while nobody knows that it has switched',
          () => answers(testbed, ip),
          4_000,
        );
      }
      await migration.cancel();
      await migration.go();
      assert.equal(await migration.ended(), 'Succeeded');
      await vm.isPinnedTo('node2');
      assert.match(vm.story(), /^unbound → pinned 1 → dual 1,2 → pinned 2/);
      return [vm.pinned(migration)];
    },
  },
];

const NO_DOMAIN = { cpu: { cores: 1 }, memory: { guest: '96Mi' }, devices: { interfaces: [] } };

/** A port that Kube-OVN has not made yet, as of an interface that is to be plugged in. */
async function takeAway({ testbed }: Stage, port: string): Promise<{ putBack(): Promise<void> }> {
  const nbctl = (...args: string[]) => run('ovn-nbctl', [`--db=${testbed.northbound}`, ...args]);
  const get = (column: string) => nbctl('get', 'Logical_Switch_Port', port, column);
  const [addresses, externalIds] = [await get('addresses'), await get('external_ids')];
  const { logicalSwitch } = testbed.vms.flatMap(({ interfaces }) => interfaces).find((nic) => nic.port === port)!;
  await nbctl('lsp-del', port);
  return {
    async putBack() {
      const set = ['set', 'Logical_Switch_Port', port, `addresses=${addresses}`, `external_ids=${externalIds}`];
      await nbctl('lsp-add', logicalSwitch, port, '--', ...set);
    },
  };
}
