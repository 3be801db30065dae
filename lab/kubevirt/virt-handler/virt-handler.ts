import type { Context } from '../context.ts';
import type { MigrationState, VirtualMachineInstance as Vmi } from '../objects.ts';
import { receiveGuest } from './receive-guest.ts';
import { sendGuest } from './send-guest.ts';
import { startGuest } from './start-guest.ts';
import { launcherPods } from './vmi.ts';

/** virt-handler of all nodes: reacts to what virt-controller writes into VMIs, and writes back what the guests do. */
export function handleVmis(context: Context): void {
  const { cluster, lives } = context;
  const select = (matches: (vmi: Vmi, state: MigrationState) => boolean) => () =>
    cluster.vmis.all().filter((vmi) => matches(vmi, vmi.status?.migrationState ?? {}));
  const ofMigration = (vmi: Vmi) => `${vmi.metadata.uid}/${vmi.status?.migrationState?.migrationUid}`;
  const isOver = (state: MigrationState) => state.completed === true || state.failed === true;

  lives.onEach(
    select((vmi) => vmi.status?.phase === 'Scheduled'),
    (vmi) => startGuest(vmi, context),
  );
  lives.onEach(
    select((_, state) => state.targetNode !== undefined && !isOver(state)),
    (vmi) => receiveGuest(vmi, context),
    ofMigration,
  );
  lives.onEach(
    select((_, state) => state.targetNodeAddress !== undefined && !isOver(state)),
    (vmi) => sendGuest(vmi, context),
    ofMigration,
  );
  lives.onEach(
    select((vmi) => vmi.metadata.deletionTimestamp !== undefined),
    (vmi) => stopGuests(vmi, context),
  );
}

async function stopGuests(vmi: Vmi, context: Context): Promise<void> {
  await Promise.all(launcherPods(vmi, context).map((pod) => context.launchers.of(pod)?.end('Succeeded')));
}
