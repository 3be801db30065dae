import type { Guest } from './guest.ts';
import type { QmpEvent } from './qmp.ts';

/** QEMU did not bring the guest to the target: it still runs on the source. */
export class MigrationError extends Error {
  /** QEMU's last word: `failed`, or `cancelled` when the caller aborted. */
  readonly status: 'failed' | 'cancelled';

  constructor(status: 'failed' | 'cancelled', reason?: string) {
    super(`The guest's migration ${status === 'failed' ? 'failed' : 'was cancelled'}${reason ? `: ${reason}` : '.'}`);
    this.name = 'MigrationError';
    this.status = status;
  }
}

export interface MigrationResult {
  /** QEMU's total time, ms. */
  readonly totalMs: number;
  /**
   * From the source's QEMU stopping it to the target's running it, ms: the guest ran nowhere. The `downtime` that QEMU itself
   * reports ends earlier, when the source has sent the last byte.
   */
  readonly guestBlackoutMs: number;
  /** Guest memory sent, bytes. */
  readonly ramBytes: number;
}

interface MigrationInfo {
  status: string;
  'total-time'?: number;
  ram?: { transferred: number };
  'error-desc'?: string;
}

/**
 * KubeVirt's: QEMU's own 300 ms of downtime, and 64 MiB/s, as OpenShift Virtualization sets it (`bandwidthPerMigration`; KubeVirt
 * itself sets no limit). Without one QEMU takes both of two cores, source and target, from the guest and the switches.
 */
const LIMITS = { 'downtime-limit': 300, 'max-bandwidth': 64 * 2 ** 20 };

/**
 * Migrates a running guest into the QEMU of `target`, which waits at `uri` (its `incoming`). Resolves when QEMU has
 * completed and the target runs; the source's QEMU then stands paused.
 *
 * @param options.signal cancels; if the guest has switched by then, the migration completes all the same.
 * @throws MigrationError when the guest stays on the source.
 */
export async function migrate(
  source: Guest,
  target: Guest,
  uri: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<MigrationResult> {
  await source.qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
  await source.qmp.execute('migrate-set-parameters', LIMITS);
  const ended = migrationEnd(source);
  const cancel = () => void source.qmp.execute('migrate_cancel').catch(() => {});
  try {
    await source.qmp.execute('migrate', { uri });
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    await ended.promise;
  } finally {
    ended.stop();
    signal?.removeEventListener('abort', cancel);
  }
  const info = await source.qmp.execute<MigrationInfo>('query-migrate');
  if (info.status === 'failed' || info.status === 'cancelled')
    throw new MigrationError(info.status, info['error-desc']);
  await target.ready();
  return {
    totalMs: info['total-time'] ?? 0,
    guestBlackoutMs: target.qmp.lastAt('RESUME')! - source.qmp.lastAt('STOP')!,
    ramBytes: info.ram?.transferred ?? 0,
  };
}

/** Resolves when the source's QEMU says that the migration is over; rejects when QEMU goes away. */
function migrationEnd({ qmp }: Guest): { promise: Promise<void>; stop: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onEvent = ({ event, data }: QmpEvent) => {
    if (event === 'MIGRATION' && /^(completed|failed|cancelled)$/.test(String(data.status))) resolve();
  };
  const onClose = () => reject(new MigrationError('failed', "the source's QEMU ended"));
  qmp.on('event', onEvent).on('close', onClose);
  promise.catch(() => {});
  const stop = () => void qmp.off('event', onEvent).off('close', onClose);
  return { promise, stop };
}
