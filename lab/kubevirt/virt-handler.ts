import { MigrationError } from '../guest/migrate.ts';
import { vmOf } from './cni.ts';
import type { Context } from './context.ts';
import { MIGRATION_TARGET_NODE_NAME, NODE_NAME } from './labels.ts';
import { podInterface } from './manifests.ts';
import {
  type Condition,
  isControlledBy,
  isLauncher,
  type MigrationState,
  type Pod,
  timestamp,
  type VirtualMachineInstance as Vmi,
} from './objects.ts';
import { StepFailed } from './pace.ts';
import { type Launcher, MIGRATION_PORT } from './virt-launcher.ts';

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

async function startGuest(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, launchers, testbed, log } = context;
  const node = vmi.status?.nodeName;
  const pod = launcherPods(vmi, context).find(({ spec }) => spec.nodeName === node);
  const launcher = launchers.of(pod);
  if (pod === undefined || launcher === undefined) return;
  const guest = await launcher.boot();
  log('guest-started', { vmi: vmi.metadata.name, node, pid: guest.pid });
  await cluster.vmis.update(vmi, ({ status }) => {
    if (status === undefined) return;
    status.phase = 'Running';
    status.migrationMethod = 'LiveMigration';
    status.migrationTransport = 'Unix';
    status.conditions = [condition('Ready', 'False'), condition('LiveMigratable', 'True')];
    status.interfaces = vmOf(pod, testbed).interfaces.map(({ mac, ip }, index) => {
      const { name = '' } = vmi.spec.networks[index] ?? {};
      const podInterfaceName = index === 0 ? 'eth0' : podInterface(name);
      const addresses = { ipAddress: ip, ipAddresses: [ip] };
      return { name, mac, ...addresses, podInterfaceName, infoSource: 'domain', queueCount: 1 };
    });
  });
  log('vmi-phase', { vmi: vmi.metadata.name, phase: 'Running' });
  const ready = guest.ready().then(
    () => true,
    () => false,
  );
  if (!(await Promise.race([ready, launcher.ended.then(() => false)]))) return;
  await cluster.vmis.update(vmi, ({ status }) => {
    if (status) status.conditions = [condition('Ready', 'True'), condition('LiveMigratable', 'True')];
  });
}

/** The target node's part of a migration. */
async function receiveGuest(vmi: Vmi, context: Context): Promise<void> {
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
  const switchedAt = await Promise.race([guest.resumed, failed]);
  if (switchedAt === undefined) return launcher.end('Succeeded');
  log('switched', { ...names, switchedAt: new Date(switchedAt).toISOString() });
  await setState(vmi, context, { targetNodeDomainDetected: true });
  await setState(vmi, context, { targetNodeDomainReadyTimestamp: timestamp() });
  const acknowledged = pace('switchAcknowledged', migrationUid, signal).then(() => true);
  const isAlive = await Promise.race([acknowledged.catch(unlessTold(false)), launcher.ended.then(() => false)]);
  if (!isAlive) return launcher.end('Failed');
  await setState(vmi, context, { endTimestamp: timestamp() }, ({ metadata, status }) => {
    metadata.labels = { ...metadata.labels, [NODE_NAME]: targetNode ?? '' };
    if (status !== undefined && targetNode !== undefined) status.nodeName = targetNode;
  });
  log('node-moved', names);
  await setState(vmi, context, { completed: true }, withoutTargetLabel);
}

/** The source node's part of a migration. */
async function sendGuest(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, launchers, pace, log, signal } = context;
  const { migrationUid, sourceNode, sourcePod, targetNode, targetPod } = vmi.status?.migrationState ?? {};
  const names = { vmi: vmi.metadata.name, migration: migrationUid, from: sourceNode, to: targetNode };
  const isToldToFail = await pace('sourceStarts', migrationUid, signal).then(() => false, unlessTold(true));
  const from = launchers.of(podNamed(vmi, sourcePod, context));
  const to = launchers.of(podNamed(vmi, targetPod, context));
  if (from === undefined || to === undefined || hasFailed(vmi, context)) return;
  await setState(vmi, context, { startTimestamp: timestamp(), mode: 'PreCopy' });
  log('copying', names);
  try {
    if (isToldToFail) throw new MigrationError('failed', 'told to fail before it copies');
    log('copied', { ...names, ...(await copyMemory(vmi, from, to, context)) });
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    log('copy-failed', { ...names, reason: error.message });
    const aborted = error.status === 'cancelled';
    const failureReason = aborted ? 'Live migration has been aborted' : error.message;
    const end = { endTimestamp: timestamp(), failed: true, completed: true, failureReason };
    await setState(vmi, context, aborted ? { ...end, abortStatus: 'Succeeded' } : end, withoutTargetLabel);
    return;
  }
  const moved = cluster.until(() => cluster.vmis.latest(vmi)?.status?.nodeName !== sourceNode, signal);
  await Promise.race([moved, to.ended]);
  await pace('launcherEnds', migrationUid, signal);
  await from.end('Succeeded');
}

async function copyMemory(vmi: Vmi, from: Launcher, to: Launcher, { cluster, pace, signal }: Context) {
  const { migrationUid } = vmi.status?.migrationState ?? {};
  const over = new AbortController();
  const abort = new AbortController();
  cluster.onChange(
    () => {
      if (cluster.vmis.latest(vmi)?.status?.migrationState?.abortRequested) abort.abort();
    },
    AbortSignal.any([signal, over.signal]),
  );
  try {
    const source = await from.guest();
    return await source.migrate(await to.guest(), to.migrationUri(), {
      signal: abort.signal,
      step: (step, either) => pace(step, migrationUid, AbortSignal.any([signal, either])),
    });
  } finally {
    over.abort();
  }
}

async function stopGuests(vmi: Vmi, context: Context): Promise<void> {
  await Promise.all(launcherPods(vmi, context).map((pod) => context.launchers.of(pod)?.end('Succeeded')));
}

/** Writes into the VMI's migrationState as long as that is of the same migration. */
async function setState(
  vmi: Vmi,
  context: Context,
  values: MigrationState,
  also?: (draft: Vmi) => void,
): Promise<void> {
  const { migrationUid } = vmi.status?.migrationState ?? {};
  await context.cluster.vmis.update(vmi, (draft) => {
    const state = draft.status?.migrationState;
    if (state?.migrationUid !== migrationUid) return;
    Object.assign(state ?? {}, values);
    also?.(draft);
  });
}

function withoutTargetLabel({ metadata }: Vmi): void {
  delete metadata.labels?.[MIGRATION_TARGET_NODE_NAME];
}

function hasFailed(vmi: Vmi, { cluster }: Context): boolean {
  const { migrationUid } = vmi.status?.migrationState ?? {};
  const latest = cluster.vmis.latest(vmi);
  const state = latest?.status?.migrationState;
  return latest === undefined || state?.migrationUid !== migrationUid || state?.failed === true;
}

/** Passes on all errors but that of a step that was told to fail: for this there is a value. */
function unlessTold<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof StepFailed) return value;
    throw error;
  };
}

function launcherPods(vmi: Vmi, { cluster }: Context): Pod[] {
  return cluster.pods.all().filter((pod) => isLauncher(pod) && isControlledBy(pod, vmi));
}

function podNamed(vmi: Vmi, name: string | undefined, context: Context): Pod | undefined {
  return launcherPods(vmi, context).find(({ metadata }) => metadata.name === name);
}

function condition(type: string, status: 'True' | 'False'): Condition {
  return { type, status, lastProbeTime: null, lastTransitionTime: timestamp() };
}
