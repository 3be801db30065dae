import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError, OutcomeUnknownError, TransactionError } from './errors.ts';
import { type CallOptions, Limit } from './rpc/limit.ts';
import { Backoff } from './session/backoff.ts';

/**
 * Calls `attempt` until it succeeds: again when its guard failed, when its outcome is unknown, and when there was no
 * server. Each attempt must read first, and guard what it then writes with a `wait` on what it has read; so one that
 * was committed after all is seen by the next, and not done twice. Other errors are thrown on.
 *
 * @example
 * await retryGuarded(async () => {
 *   const [[row]] = await nb.transact([nb.select('Logical_Switch_Port', where, ['options'])]);
 *   if (row!.options.get('requested-chassis') === 'node2') return;
 *   await nb.transact([nb.wait('Logical_Switch_Port', where, [row!]), nb.update('Logical_Switch_Port', where, update)]);
 * });
 * @throws the last attempt's error when the limit is reached (by default after 10 s)
 */
export async function retryGuarded<T>(
  attempt: () => Promise<T>,
  { signal, timeoutMs = 10_000 }: CallOptions = {},
): Promise<T> {
  using limit = new Limit(timeoutMs, signal);
  const stop = new AbortController();
  limit.onReached(() => stop.abort());
  const backoff = new Backoff();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!mayHelp(error) || limit.reached !== undefined) throw error;
      await sleep(backoff.next(), undefined, { signal: stop.signal }).catch(() => {
        throw error;
      });
    }
  }
}

function mayHelp(error: unknown): boolean {
  if (error instanceof TransactionError) return error.guardFailed;
  return error instanceof OutcomeUnknownError || error instanceof ConnectError;
}
