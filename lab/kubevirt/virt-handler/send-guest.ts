import { MigrationError } from '../../guest/migrate.ts';
import type { Context } from '../context.ts';
import { timestamp, type VirtualMachineInstance as Vmi } from '../objects.ts';
import type { Launcher } from '../virt-launcher.ts';
import { hasFailed, podNamed, setState, stateNow, unlessTold } from './vmi.ts';

/** The source node's part of a migration. */
export async function sendGuest(vmi: Vmi, context: Context): Promise<void> {
  const { launchers, pace, log, signal } = context;
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
    await setState(vmi, context, aborted ? { ...end, abortStatus: 'Succeeded' } : end);
    return;
  }
  // It ends by itself, whoever has heard by then that the guest has left.
  await pace('launcherEnds', migrationUid, signal);
  await from.end('Succeeded');
}

async function copyMemory(vmi: Vmi, from: Launcher, to: Launcher, context: Context) {
  const { cluster, pace, signal } = context;
  const { migrationUid } = vmi.status?.migrationState ?? {};
  const over = new AbortController();
  const abort = new AbortController();
  cluster.onChange(
    () => {
      if (stateNow(vmi, context)?.abortRequested) abort.abort();
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
