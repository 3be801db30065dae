import { setTimeout as sleep } from 'node:timers/promises';
import { publish } from '../diagnostics.ts';
import { ConnectError, OutcomeUnknownError, RpcError, SchemaError } from '../errors.ts';
import type { Connection } from '../rpc/connection.ts';
import { Limit } from '../rpc/limit.ts';
import { Backoff } from '../session/backoff.ts';
import type { Member } from '../session/member.ts';
import type { Session } from '../session/session.ts';
import { stringifyParams } from '../wire/json.ts';
import { Conditions } from './conditions.ts';
import { cutContents, type RowTexts, UnparsedContents } from './row-texts.ts';
import {
  type MonitorCondition,
  type MonitorMethod,
  type MonitorRequests,
  readSnapshot,
  readUpdate,
  type Snapshot,
  type TableUpdates,
} from './updates.ts';

const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';
/** From the best down to what RFC 7047 has; a server that does not know one is asked for the next. */
const METHODS: readonly MonitorMethod[] = ['monitor_cond_since', 'monitor_cond', 'monitor'];
const MOST_DOUBLINGS = 6;

export interface SubscriptionOptions {
  session: Session;
  database: string;
  /** Limit of the answer with the contents. After one that was too late the next gets twice the time. */
  snapshotTimeoutMs: number;
  /** Limit of the wait for a server at the start. Once the contents have been there, it waits as long as it takes. */
  timeoutMs: number;
  /** Gives the wait for the first contents up. */
  signal: AbortSignal | undefined;
  /** What to ask this server for. */
  requests(member: Member, limit: Limit): MonitorRequests | Promise<MonitorRequests>;
  /** Called in the order of the server's messages. With `anew` the updates are the whole contents. */
  onUpdates(updates: TableUpdates, anew: boolean): void;
  /** Called in the place of `onUpdates` for whole contents that need not be parsed. */
  onContents?(tables: RowTexts): void;
  /** Called when updates stop coming; they go on with the next `onUpdates`. */
  onLost?(reason: Error): void;
}

/** What a client gives to whoever follows tables. */
export type SubscriptionSource = Pick<
  SubscriptionOptions,
  'session' | 'database' | 'snapshotTimeoutMs' | 'timeoutMs' | 'signal'
>;

/** Why following a server came to its end. */
type End = 'was live' | 'connection lost' | 'too late' | 'schema changed';

let subscriptions = 0;

/**
 * One monitor through reconnects and changes of the leader: it goes on from the last transaction seen where the server
 * still knows it, and anew where not.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #stop = new AbortController();
  readonly #conditions = new Conditions();
  #lastId = NO_TRANSACTION;
  /** What `#lastId` was seen with: with other columns or conditions there is nothing to go on from. */
  #lastRequests = '';
  #method = 0;
  #hasBeenLive = false;
  #live: { connection: Connection; id: string } | undefined;
  #restart = Promise.withResolvers<Error>();
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /**
   * Runs until closed. Once the contents have been there, lost connections and slow servers are waited out.
   * @throws ConnectError when no server is found at first or the client is closed, OutcomeUnknownError when the first
   * contents take too long, RpcError when the server rejects the monitor, SchemaError when its schema does not fit,
   * ProtocolError for values that are not of their column's type
   */
  async run(): Promise<void> {
    try {
      await this.#followAll();
    } finally {
      this.#conditions.end(new ConnectError('Nothing was sent: the monitor has ended'));
    }
  }

  close(): void {
    const reason = new Error('the monitor was closed');
    this.#stop.abort(reason);
    this.#restart.resolve(reason);
    this.resume();
  }

  /** Forgets what was seen and asks for the whole contents again. */
  startAnew(reason: Error): void {
    this.#lastId = NO_TRANSACTION;
    this.#restart.resolve(reason);
  }

  /** Stops the updates until `resume`, which then gives the whole contents. */
  pause(): void {
    this.#paused ??= Promise.withResolvers();
    this.startAnew(new Error('the reader is too slow'));
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /**
   * Replaces a table's condition; rows that come or go by it are updates like others (ovsdb-server(7) 4.1.13). Waits
   * for a server that has given the contents, since before that there is nothing to change.
   */
  async changeCondition(table: string, where: readonly MonitorCondition[], limit: Limit): Promise<void> {
    for (;;) {
      const { connection, id } = await this.#conditions.live(limit);
      // Whatever comes of it: the next server is to be asked for everything under the condition that holds then.
      this.#lastRequests = '';
      const params = [id, id, { [table]: [{ where }] }];
      try {
        await connection.request('monitor_cond_change', params, limit, () => this.#conditions.set(table, where));
        return;
      } catch (error) {
        if (!isConnectionLost(error) || limit.reached !== undefined) throw error;
      }
    }
  }

  async #followAll(): Promise<void> {
    let backoff = new Backoff();
    let doublings = 0;
    while (!this.#stop.signal.aborted) {
      try {
        const end = await this.#follow(await this.#findMember(), 2 ** doublings);
        if (end === 'was live') backoff = new Backoff();
        doublings = end === 'too late' ? Math.min(doublings + 1, MOST_DOUBLINGS) : 0;
        if (end === 'connection lost' || end === 'too late') {
          await sleep(backoff.next(), undefined, { signal: this.#stop.signal });
        }
        await this.#paused?.promise;
      } catch (error) {
        if (!this.#stop.signal.aborted) throw error;
      }
    }
  }

  /** Of the start; later there is no limit but the end of the subscription. */
  #limit(timeoutMs: number, laterTimeoutMs: number): Limit {
    if (this.#hasBeenLive) return new Limit(laterTimeoutMs, this.#stop.signal);
    const { signal } = this.#options;
    return new Limit(
      timeoutMs,
      signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]),
    );
  }

  async #findMember(): Promise<Member> {
    using limit = this.#limit(this.#options.timeoutMs, Number.POSITIVE_INFINITY);
    return await this.#options.session.member(limit);
  }

  async #follow(member: Member, patience: number): Promise<End> {
    const { connection } = member;
    const { onLost } = this.#options;
    const id = `monitor-${++subscriptions}`;
    this.#restart = Promise.withResolvers();
    this.#restart.promise.catch(() => undefined);
    const stopWaiting = member.onLeft(this.#restart.resolve);
    const stopListening = connection.listen(`monitor:${id}`, (method, params) => this.#receive(method, params, member));
    let reason = new Error('the monitor failed');
    try {
      const end = await this.#start(member, id, patience);
      if (end !== undefined) return end;
      reason = await this.#restart.promise;
      return 'was live';
    } finally {
      stopWaiting();
      stopListening();
      if (this.#live !== undefined) onLost?.(reason);
      this.#live = undefined;
      this.#conditions.lose();
      if (member.isUsable) void cancel(connection, id);
    }
  }

  /** Asks for the contents. Returns nothing when they are there. */
  async #start(member: Member, id: string, patience: number): Promise<End | undefined> {
    const { snapshotTimeoutMs, database } = this.#options;
    using limit = this.#limit(snapshotTimeoutMs, snapshotTimeoutMs * patience);
    let requests: MonitorRequests | undefined;
    try {
      requests = await this.#requestsFor(member, limit);
      await this.#request(member.connection, id, requests, limit);
      return undefined;
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      if (error instanceof RpcError && (await this.#isOutdated(requests!, member, limit))) return 'schema changed';
      const isTooLate = limit.reached !== undefined;
      if (!isConnectionLost(error) || (isTooLate && !this.#hasBeenLive)) throw error;
      publish('session', { event: 'monitor failed', remote: member.connection.name, database, reason: error });
      return isTooLate ? 'too late' : 'connection lost';
    }
  }

  async #requestsFor(member: Member, limit: Limit): Promise<MonitorRequests> {
    try {
      return this.#conditions.apply(await this.#options.requests(member, limit));
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      member.forgetSchema();
      return this.#conditions.apply(await this.#options.requests(member, limit));
    }
  }

  /** Whether the requests would be others by the server's newest schema: it may have been converted since. */
  async #isOutdated(requests: MonitorRequests, member: Member, limit: Limit): Promise<boolean> {
    member.forgetSchema();
    return stringifyParams([await this.#requestsFor(member, limit)]) !== stringifyParams([requests]);
  }

  async #request(connection: Connection, id: string, requests: MonitorRequests, limit: Limit): Promise<void> {
    const { database } = this.#options;
    const key = stringifyParams([requests]);
    if (key !== this.#lastRequests) this.#lastId = NO_TRANSACTION;
    const method = METHODS[this.#method]!;
    const since = method === 'monitor_cond_since' ? [this.#lastId] : [];
    const params = [database, id, toWire(requests), ...since];
    const onReply = (reply: unknown): void => {
      const snapshot = reply instanceof UnparsedContents ? reply : readSnapshot(method, reply);
      this.#lastId = snapshot.lastId ?? NO_TRANSACTION;
      this.#lastRequests = key;
      this.#hasBeenLive = true;
      this.#live = { connection, id };
      this.#deliver(snapshot);
      this.#conditions.goLive(this.#live);
    };
    const readText = this.#options.onContents && cutContents;
    try {
      using _silence = connection.expectSilence();
      await connection.request(method, params, limit, onReply, readText);
    } catch (error) {
      const isUnknownMethod = error instanceof RpcError && error.tag === 'unknown method';
      if (!isUnknownMethod || ++this.#method >= METHODS.length) throw error;
      await this.#request(connection, id, requests, limit);
    }
  }

  #receive(method: string, params: readonly unknown[], member: Member): void {
    // The schema was converted (ovsdb-server(7) section 4.1.16); what was seen says nothing about the new one.
    if (method === 'monitor_canceled') {
      member.forgetSchema();
      this.startAnew(new Error('the server cancelled the monitor'));
      return;
    }
    const { lastId, updates } = readUpdate(method, params);
    this.#lastId = lastId ?? NO_TRANSACTION;
    this.#deliver({ continues: true, lastId, updates });
  }

  /** Updates that cannot be taken end the monitor: from another server they would be no better. */
  #deliver(news: Snapshot | UnparsedContents): void {
    try {
      if (news instanceof UnparsedContents) this.#options.onContents!(news.tables);
      else this.#options.onUpdates(news.updates, !news.continues);
    } catch (error) {
      this.#restart.reject(error);
    }
  }
}

/** Several requests for one table stand in a list on the wire, and so does one alone. */
function toWire(requests: MonitorRequests): Record<string, unknown> {
  return Object.fromEntries(Object.entries(requests).map(([table, request]) => [table, [request].flat()]));
}

function isConnectionLost(error: unknown): boolean {
  return error instanceof ConnectError || error instanceof OutcomeUnknownError;
}

async function cancel(connection: Connection, id: string): Promise<void> {
  using limit = new Limit(10_000);
  // It may be gone already, with its connection or by the server's own doing.
  await connection.request('monitor_cancel', [id], limit).catch(() => undefined);
}
