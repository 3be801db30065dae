import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError, OutcomeUnknownError, TransactionError } from './errors.ts';
import { type CallOptions, Limit } from './rpc/limit.ts';
import { Backoff } from './session/backoff.ts';

/**
 * Calls `attempt` until it succeeds: again when its guard failed, when its outcome is unknown, and when there was no
 * server. Each attempt must read first, and guard what it then writes with a `wait` on what it has read; so one that
 * was committed after all is seen by the next, and not done twice. Other errors are thrown on.
 *
 * @throws the last attempt's error when the limit is reached (by default after 10 s)
 * @see [RFC 7047, section 5.2.6](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.6)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const insert = nb.insert('Logical_Switch', { name: 'counted', other_config: { count: '1' } });
 * const [id] = await nb.transact([insert]);
 * const where = [['_uuid', '==', id]] as const;
 * const count = await retryGuarded(async () => {
 *   const [[row]] = await nb.transact([nb.select('Logical_Switch', where, ['other_config'])]);
 *   const next = String(Number(row!.other_config.get('count')) + 1);
 *   const update = nb.update('Logical_Switch', where, { other_config: { count: next } });
 *   await nb.transact([nb.wait('Logical_Switch', where, [row!]), update]);
 *   return next;
 * });
 * count; // => '2'
 * ```
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
