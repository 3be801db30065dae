import { type CallOptions, Limit } from '../rpc/limit.ts';
import type { WireCondition } from '../wire/types.ts';
import { Subscription, type SubscriptionOptions } from './subscription.ts';
import type { TableUpdates } from './updates.ts';

export interface MonitorEvent {
  /** `snapshot`: the whole contents, in place of all that came before. `changes`: what is different since. */
  readonly kind: 'snapshot' | 'changes';
  readonly updates: TableUpdates;
}

/** Events that may wait for a slow reader. With one more it gets a snapshot instead of them all. */
const LONGEST_BACKLOG = 1000;

/**
 * Follows tables as raw updates (`for await`, one reader). It survives reconnects, and goes on without a new snapshot
 * where the server can.
 */
export class Monitor implements AsyncIterable<MonitorEvent>, AsyncDisposable {
  readonly #subscription: Subscription;
  #backlog: MonitorEvent[] = [];
  #wake = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: Omit<SubscriptionOptions, 'onUpdates' | 'onLost'>) {
    this.#subscription = new Subscription({ ...options, onUpdates: (updates, anew) => this.#add(updates, anew) });
  }

  /** Starts the monitor. Leaving the loop closes it. @throws as Subscription.run */
  async *[Symbol.asyncIterator](): AsyncGenerator<MonitorEvent, void, void> {
    let failure: { error: unknown } | undefined;
    this.#running ??= this.#subscription.run().catch((error) => {
      failure = { error };
      this.#wake.resolve();
    });
    try {
      while (!this.#isClosed) {
        const event = this.#backlog.shift();
        if (event !== undefined) {
          yield event;
        } else if (failure !== undefined) {
          throw failure.error;
        } else {
          await this.#wake.promise;
          this.#wake = Promise.withResolvers();
        }
      }
    } finally {
      await this.close();
    }
  }

  /** Replaces a table's condition (ovsdb-server(7) section 4.1.13). */
  async changeCondition(
    table: string,
    where: readonly WireCondition[],
    { signal, timeoutMs = 10_000 }: CallOptions = {},
  ): Promise<void> {
    using limit = new Limit(timeoutMs, signal);
    await this.#subscription.changeCondition(table, where, limit);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription.close();
    this.#wake.resolve();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(updates: TableUpdates, anew: boolean): void {
    if (anew) this.#backlog = [];
    if (this.#backlog.length >= LONGEST_BACKLOG) {
      this.#subscription.startAnew();
      return;
    }
    this.#backlog.push({ kind: anew ? 'snapshot' : 'changes', updates });
    this.#wake.resolve();
  }
}
