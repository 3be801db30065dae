import type { Context } from '../context.ts';
import { NODE_NAME } from '../labels.ts';
import {
  type MigrationState,
  timestamp,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../objects.ts';
import { doesFail, isHeld } from '../pace.ts';
import { type Launcher, MIGRATION_PORT } from '../virt-launcher.ts';
import { hasFailed, podNamed, setState, stateNow, unlessTold } from './vmi.ts';

/** The target node's part of a migration. */
export async function receiveGuest(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, launchers, pace, log, signal } = context;
  const { migrationUid, sourceNode, targetNode, targetPod } = vmi.status?.migrationState ?? {};
  const names = { vmi: vmi.metadata.name, migration: migrationUid, from: sourceNode, to: targetNode };
  const launcher = launchers.of(podNamed(vmi, targetPod, context));
  if (launcher === undefined) return;
  const prepared = Promise.all([launcher.receive(), pace('targetPrepares', migrationUid, signal)]);
  const [guest] = await prepared.catch(unlessTold([]));
  if (guest === undefined) return launcher.end('Failed');
  const targetDirectMigrationNodePorts = { '38943': 0, '45101': MIGRATION_PORT };
  const targetNodeAddress = context.testbed.chassis.find(({ node }) => node === targetNode)?.migrationAddress ?? '';
  await setState(vmi, context, { targetNodeAddress, targetDirectMigrationNodePorts });

  const failed = cluster.until(() => hasFailed(vmi, context), signal).then(() => undefined);
  const detected = detectDomain(vmi, context);
  // Where the wait for the switch rejects, nobody waits for it any more.
  detected.catch(() => {});
  const switchedAt = await Promise.race([guest.resumed, failed]);
  await detected;
  if (switchedAt === undefined) return launcher.end('Succeeded');
  log('switched', { ...names, switchedAt: new Date(switchedAt).toISOString() });
  const isLate = isHeld(migrationOf(vmi, context), 'switchReported');
  await pace('switchReported', migrationUid, signal);
  if (!(await reportSwitch(vmi, launcher, context, isLate))) return launcher.end('Failed');
  log('node-moved', names);
  await setState(vmi, context, { completed: true });
}

/** While memory is copied the target's virt-handler sees its domain for the first time. */
async function detectDomain(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, pace, signal } = context;
  const { migrationUid } = vmi.status?.migrationState ?? {};
  await cluster.until(() => hasFailed(vmi, context) || stateNow(vmi, context)?.startTimestamp, signal);
  await pace('domainDetected', migrationUid, signal);
  if (!hasFailed(vmi, context)) await setState(vmi, context, { targetNodeDomainDetected: true });
}

let reports = 0;

/**
 * Says that the guest runs, then that it has moved: in two updates or, as a virt-handler does that is busy or late, in one.
 * Every other migration has it in one, unless it is to stop in between. Gives false when the guest died before.
 */
async function reportSwitch(vmi: Vmi, launcher: Launcher, context: Context, isLate: boolean): Promise<boolean> {
  const { pace, signal } = context;
  const { migrationUid, targetNode } = vmi.status?.migrationState ?? {};
  const vmim = migrationOf(vmi, context);
  const stops = isHeld(vmim, 'switchAcknowledged') || doesFail(vmim, 'switchAcknowledged');
  const inOne = (isLate || reports++ % 2 === 1) && !stops;
  const ready: MigrationState = { targetNodeDomainReadyTimestamp: timestamp() };
  if (!inOne) await setState(vmi, context, ready);
  const acknowledged = pace('switchAcknowledged', migrationUid, signal).then(() => true);
  const isAlive = await Promise.race([acknowledged.catch(unlessTold(false)), launcher.ended.then(() => false)]);
  if (!isAlive) return false;
  await setState(vmi, context, { ...(inOne && ready), endTimestamp: timestamp() }, ({ metadata, status }) => {
    metadata.labels = { ...metadata.labels, [NODE_NAME]: targetNode ?? '' };
    if (status === undefined || targetNode === undefined) return;
    status.nodeName = targetNode;
    delete status.launcherContainerImageVersion;
  });
  return true;
}

function migrationOf({ status }: Vmi, { cluster }: Context): Vmim | undefined {
  return cluster.vmims.all().find(({ metadata }) => metadata.uid === status?.migrationState?.migrationUid);
}
