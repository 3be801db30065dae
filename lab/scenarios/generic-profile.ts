import { strict as assert } from 'node:assert';
import { PLAIN_OVN } from '../kubevirt/labels.ts';
import type { Act } from './scenario.ts';

/** Plain OVN: a port is found by its name, and the target pod gets its identity in one annotation. */
export const genericProfile: Act = {
  title: 'plain OVN, profile generic',
  env: { OVN_PROFILE: 'generic' },
  annotations: { [PLAIN_OVN]: 'true' },
  scenarios: [
    {
      name: 'generic: a first migration, and the target pod is told its identity',
      async play({ vm }) {
        const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
        await migration.at('copy');
        await vm.isDual('node1', 'node2');
        const [{ port, mac, ip }] = vm.interfaces;
        const identity = migration.target()?.metadata.annotations?.['ovn-handover.dev/port'];
        assert.deepEqual(JSON.parse(identity ?? '{}'), { ifaceId: port, mac, ips: [ip] });
        await migration.go();
        assert.equal(await migration.ended(), 'Succeeded');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'generic: there and back',
      async play({ vm }) {
        await vm.migrateTo('node2');
        return [await vm.migrateTo('node1')];
      },
    },
    {
      name: 'generic: cancelled while it copies',
      async play({ vm }) {
        const migration = await vm.migrate({ to: 'node2', hold: 'copy' });
        await migration.at('copy');
        await vm.isDual('node1', 'node2');
        await migration.cancel();
        assert.equal(await migration.ended(), 'Failed');
        return [vm.pinned(migration)];
      },
    },
    {
      name: 'generic: the VM is deleted after a migration',
      async play({ vm }) {
        await vm.migrateTo('node2');
        await vm.delete();
        await vm.isGone();
        return [{ binding: 'unbound' }];
      },
    },
  ],
};
