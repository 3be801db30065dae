import { SchemaError } from '../errors.ts';
import { type CallOptions, Limit } from '../rpc/limit.ts';
import { Backlog } from './backlog.ts';
import { Subscription, type SubscriptionSource } from './subscription.ts';
import type { MonitorCondition, MonitorEvent, MonitorRequests, TableUpdates } from './updates.ts';

/**
 * Follows tables as raw updates (`for await`, one reader). It survives reconnects, and goes on without a new snapshot
 * where the server can. A reader who is further behind than the tables are long gets a snapshot, when it comes for it.
 *
 * @see [ovsdb-server(7), section 4.1.15](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * await using monitor: Monitor = client.monitor({ Mirror: { columns: ['name'] } });
 * for await (const { kind } of monitor) {
 *   kind; // => 'snapshot'
 *   break;
 * }
 * ```
 */
export class Monitor implements AsyncIterable<MonitorEvent>, AsyncDisposable {
  readonly #subscription: Subscription;
  readonly #tables: MonitorRequests;
  readonly #backlog = new Backlog();
  #requests: MonitorRequests;
  #wake = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(tables: MonitorRequests, options: SubscriptionSource) {
    this.#tables = tables;
    this.#requests = tables;
    this.#subscription = new Subscription({
      ...options,
      requests: () => this.#requests,
      onUpdates: (updates, anew) => this.#add(updates, anew),
    });
  }

  /**
   * Starts the monitor. Leaving the loop closes it.
   * @throws as Subscription.run; Error for a second reader, as each event is given once
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<MonitorEvent, void, void> {
    if (this.#running !== undefined && !this.#isClosed) {
      throw new Error('This monitor has a reader: each event is given once, so ask for another monitor');
    }
    let failure: { error: unknown } | undefined;
    this.#running ??= this.#subscription.run().catch((error) => {
      failure = { error };
      this.#wake.resolve();
    });
    try {
      while (!this.#isClosed) {
        const event = this.#backlog.take();
        if (event !== undefined) {
          yield event;
        } else if (failure !== undefined) {
          throw failure.error;
        } else {
          this.#subscription.resume();
          await this.#wake.promise;
          this.#wake = Promise.withResolvers();
        }
      }
    } finally {
      await this.close();
    }
  }

  /**
   * Replaces a table's condition (ovsdb-server(7) section 4.1.13). Waits until the contents have come once.
   * @throws SchemaError for a table that is not followed, RpcError when the server rejects the condition; the monitor
   * goes on with the one before. ConnectError or OutcomeUnknownError when the limit comes first
   */
  async changeCondition(
    table: string,
    where: readonly MonitorCondition[],
    { signal, timeoutMs = 10_000 }: CallOptions = {},
  ): Promise<void> {
    if (!(table in this.#tables)) throw new SchemaError(`This monitor does not follow table ${table}`);
    if (this.#running === undefined) {
      const requests = [this.#requests[table]!].flat();
      this.#requests = { ...this.#requests, [table]: requests.map((request) => ({ ...request, where })) };
      return;
    }
    using limit = new Limit(timeoutMs, signal);
    await this.#subscription.changeCondition(table, where, limit);
  }

  /** Ends it, and the loop of its reader. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription.close();
    this.#wake.resolve();
    await this.#running;
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(updates: TableUpdates, anew: boolean): void {
    if (this.#backlog.add({ kind: anew ? 'snapshot' : 'changes', updates })) this.#wake.resolve();
    else this.#subscription.pause();
  }
}
