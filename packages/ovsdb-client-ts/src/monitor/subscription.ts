import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError, OutcomeUnknownError, RpcError } from '../errors.ts';
import type { Connection } from '../rpc/connection.ts';
import { Limit } from '../rpc/limit.ts';
import { Backoff } from '../session/backoff.ts';
import type { Member } from '../session/member.ts';
import type { Session } from '../session/session.ts';
import type { WireCondition } from '../wire/types.ts';
import { type MonitorMethod, type MonitorRequest, readSnapshot, readUpdate, type TableUpdates } from './updates.ts';

const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';
const FOREVER_MS = 2 ** 31 - 1;
/** From the best down to what RFC 7047 has; a server that does not know one is asked for the next. */
const METHODS: readonly MonitorMethod[] = ['monitor_cond_since', 'monitor_cond', 'monitor'];

export type MonitorRequests = Readonly<Record<string, MonitorRequest>>;

export interface SubscriptionOptions {
  session: Session;
  database: string;
  snapshotTimeoutMs: number;
  /** What to ask this server for. */
  requests(member: Member, limit: Limit): MonitorRequests | Promise<MonitorRequests>;
  /** Called in the order of the server's messages. With `anew` the updates are the whole contents. */
  onUpdates(updates: TableUpdates, anew: boolean): void;
  /** Called when updates stop coming; they go on with the next `onUpdates`. */
  onLost?(): void;
}

let subscriptions = 0;

/**
 * One monitor through reconnects and changes of the leader: it goes on from the last transaction seen where the server
 * still knows it, and anew where not.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #stop = new AbortController();
  readonly #conditions = new Map<string, readonly WireCondition[]>();
  #lastId = NO_TRANSACTION;
  /** What `#lastId` was seen with: with other columns or conditions there is nothing to go on from. */
  #lastRequests = '';
  #method = 0;
  #live: { connection: Connection; id: string } | undefined;
  #restart = Promise.withResolvers<void>();

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /**
   * Runs until closed. Lost connections are waited out.
   * @throws RpcError when the server rejects the monitor, OutcomeUnknownError when the contents take too long,
   * ConnectError when the client is closed, ProtocolError for values that are not of their column's type
   */
  async run(): Promise<void> {
    const backoff = new Backoff();
    while (!this.#stop.signal.aborted) {
      try {
        using limit = new Limit(FOREVER_MS, this.#stop.signal);
        const wasLive = await this.#follow(await this.#options.session.member(limit));
        if (!wasLive) await sleep(backoff.next(), undefined, { signal: this.#stop.signal });
      } catch (error) {
        if (!this.#stop.signal.aborted) throw error;
      }
    }
  }

  close(): void {
    this.#stop.abort(new Error('the monitor was closed'));
    this.#restart.resolve();
  }

  /** Forgets what was seen and asks for the whole contents again. */
  startAnew(): void {
    this.#lastId = NO_TRANSACTION;
    this.#restart.resolve();
  }

  /** Replaces a table's condition; rows that come or go by it are updates like others (ovsdb-server(7) 4.1.13). */
  async changeCondition(table: string, where: readonly WireCondition[], limit: Limit): Promise<void> {
    this.#conditions.set(table, where);
    // Whatever comes of it: the next server is to be asked for everything under the new condition.
    this.#lastRequests = '';
    if (this.#live === undefined) return;
    const { connection, id } = this.#live;
    await connection.request('monitor_cond_change', [id, id, { [table]: [{ where }] }], limit);
  }

  /** Returns whether it got as far as the contents. */
  async #follow(member: Member): Promise<boolean> {
    const { connection } = member;
    const { snapshotTimeoutMs, requests, onLost } = this.#options;
    using limit = new Limit(snapshotTimeoutMs, this.#stop.signal);
    const id = `monitor-${++subscriptions}`;
    this.#restart = Promise.withResolvers();
    this.#restart.promise.catch(() => undefined);
    const stopListening = connection.listen(`monitor:${id}`, (method, params) => this.#receive(method, params));
    try {
      await this.#start(connection, id, this.#withConditions(await requests(member, limit)), limit);
      await Promise.race([member.left, this.#restart.promise]);
      return true;
    } catch (error) {
      const isConnectionLost = error instanceof ConnectError || error instanceof OutcomeUnknownError;
      if (!isConnectionLost || limit.reached !== undefined) throw error;
      return false;
    } finally {
      stopListening();
      if (this.#live !== undefined) onLost?.();
      this.#live = undefined;
      if (member.isUsable) void cancel(connection, id);
    }
  }

  #withConditions(requests: MonitorRequests): MonitorRequests {
    const changed = [...this.#conditions].map(([table, where]) => [table, { ...requests[table], where }]);
    return { ...requests, ...Object.fromEntries(changed) };
  }

  async #start(connection: Connection, id: string, requests: MonitorRequests, limit: Limit): Promise<void> {
    const { database } = this.#options;
    const key = JSON.stringify(requests);
    if (key !== this.#lastRequests) this.#lastId = NO_TRANSACTION;
    const method = METHODS[this.#method]!;
    const wireRequests = Object.fromEntries(Object.entries(requests).map(([table, request]) => [table, [request]]));
    const since = method === 'monitor_cond_since' ? [this.#lastId] : [];
    try {
      await connection.request(method, [database, id, wireRequests, ...since], limit, (reply) => {
        const { continues, lastId, updates } = readSnapshot(method, reply);
        this.#lastId = lastId ?? NO_TRANSACTION;
        this.#lastRequests = key;
        this.#live = { connection, id };
        this.#deliver(updates, !continues);
      });
    } catch (error) {
      const isUnknownMethod = error instanceof RpcError && error.tag === 'unknown method';
      if (!isUnknownMethod || ++this.#method >= METHODS.length) throw error;
      await this.#start(connection, id, requests, limit);
    }
  }

  #receive(method: string, params: readonly unknown[]): void {
    // The schema was converted (ovsdb-server(7) section 4.1.16); what was seen says nothing about the new one.
    if (method === 'monitor_canceled') {
      this.startAnew();
      return;
    }
    const { lastId, updates } = readUpdate(method, params);
    this.#lastId = lastId ?? NO_TRANSACTION;
    this.#deliver(updates, false);
  }

  /** Updates that cannot be taken end the monitor: from another server they would be no better. */
  #deliver(updates: TableUpdates, anew: boolean): void {
    try {
      this.#options.onUpdates(updates, anew);
    } catch (error) {
      this.#restart.reject(error);
    }
  }
}

async function cancel(connection: Connection, id: string): Promise<void> {
  using limit = new Limit(10_000);
  // It may be gone already, with its connection or by the server's own doing.
  await connection.request('monitor_cancel', [id], limit).catch(() => undefined);
}
