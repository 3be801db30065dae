import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { newCounters, publish } from '../diagnostics.ts';
import { ConnectError } from '../errors.ts';
import { Connection } from '../rpc/connection.ts';
import { Limit } from '../rpc/limit.ts';
import type { Connect } from '../transport/connect.ts';
import { type Endpoint, formatEndpoint } from '../transport/remote.ts';
import { Backoff } from './backoff.ts';
import { Member } from './member.ts';
import type { LogPosition } from './server-row.ts';

/** A server that is slow to connect gets this head start, in milliseconds, before the next one is tried as well. */
const HEAD_START_MS = 250;

/**
 * What happens to the connection of a client; each event names the server.
 *
 * @see [Node.js, class EventEmitter](https://nodejs.org/api/events.html#class-eventemitter)
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const up = once(client.events, 'up') as Promise<ConnectionEvents['up']>;
 * await client.echo([]);
 * const [{ remote }] = await up;
 * remote; // => 'tcp:127.0.0.1:6641'
 * ```
 */
export interface ConnectionEvents {
  /** A server is in use. */
  up: [{ remote: string }];
  /** The server is not in use any more. */
  down: [{ remote: string; reason: Error }];
  /** An attempt to reach a server, or to use it, has failed. */
  failed: [{ remote: string; reason: Error }];
}

export interface SessionOptions {
  endpoints: readonly Endpoint[];
  database: string;
  leaderOnly: boolean;
  connectTimeoutMs: number;
  probeIntervalMs: number;
  connect: Connect;
}

interface Waiter {
  resolve(member: Member): void;
  reject(error: Error): void;
}

/** Finds a usable server when somebody waits for one, and keeps it for the next until it is lost. */
export class Session {
  readonly events = new EventEmitter<ConnectionEvents>();
  readonly counters = newCounters();
  /** Whether each member is asked for the schema as soon as it is there: whoever waits for it then waits for one answer less. */
  asksForSchema = false;
  readonly #options: SessionOptions;
  #endpoints: readonly Endpoint[];
  readonly #waiters = new Set<Waiter>();
  readonly #open = new Set<Connection>();
  #member: Member | undefined;
  #seen: LogPosition | undefined;
  #search: AbortController | undefined;
  #lastProblem = 'no server has answered yet';
  #closed: ConnectError | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#endpoints = options.endpoints;
  }

  /** Waits for a usable server. @throws ConnectError when the limit comes first or the session is closed */
  member(limit: Limit): Promise<Member> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed;
      if (this.#member?.isUsable) {
        resolve(this.#member);
        return;
      }
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      this.#startSearch();
      limit.onReached((reason) => {
        if (!this.#waiters.delete(waiter)) return;
        if (this.#waiters.size === 0) this.#stopSearch();
        const message = `No usable server, nothing was sent: ${reason.message}; ${this.#lastProblem}`;
        reject(new ConnectError(message, { cause: reason }));
      });
    });
  }

  /** Ends the search and every connection, and returns when they are gone. */
  async close(): Promise<void> {
    const reason = new ConnectError('Nothing was sent: the client is closed');
    this.#closed ??= reason;
    this.#stopSearch();
    for (const { reject } of this.#waiters) reject(reason);
    this.#waiters.clear();
    const connections = [...this.#open];
    for (const connection of connections) connection.close(new Error('the client was closed'));
    await Promise.all(connections.map(({ closed }) => closed));
  }

  /** Uses these servers from now on. The present one is left when it is not among them. */
  setEndpoints(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    const names = endpoints.map(formatEndpoint);
    const member = this.#member;
    if (member !== undefined && !names.includes(member.connection.name)) {
      member.leave(new Error('it is not among the servers any more'));
    }
    if (this.#search === undefined) return;
    this.#stopSearch();
    this.#startSearch();
  }

  /** Forgets how far the cluster's log had come. */
  resetIndex(): void {
    this.#seen = undefined;
  }

  #stopSearch(): void {
    this.#search?.abort();
    this.#search = undefined;
  }

  #startSearch(): void {
    if (this.#search !== undefined) return;
    this.#search = new AbortController();
    void this.#searchUntilFound(this.#search.signal);
  }

  async #searchUntilFound(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    while (!signal.aborted) {
      const member = await this.#tryAll(signal);
      if (member !== undefined) {
        this.#found(member);
        return;
      }
      await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
    }
  }

  #found(member: Member): void {
    this.#search = undefined;
    this.#member = member;
    this.#see(member.position);
    this.counters.connections++;
    const about = { remote: member.connection.name, database: this.#options.database };
    publish('session', { event: 'connected', ...about });
    this.#emit('up', { remote: about.remote });
    member.onLeft((reason) => {
      this.#see(member.position);
      publish('session', { event: 'left', ...about, reason });
      this.#emit('down', { remote: about.remote, reason });
    });
    for (const { resolve } of this.#waiters) resolve(member);
    this.#waiters.clear();
  }

  /** Apart from what goes on here, which must not suffer from a listener that throws. */
  #emit<E extends keyof ConnectionEvents>(event: E, ...args: ConnectionEvents[E]): void {
    process.nextTick(() => this.events.emit(event, ...(args as never)));
  }

  /** Another cluster has another log. */
  #see(position: LogPosition | undefined): void {
    if (position === undefined) return;
    const { cid, index } = this.#seen ?? {};
    if (index === undefined || cid !== position.cid || position.index > index) this.#seen = position;
  }

  /** One round over all servers in random order; the first usable one wins. */
  async #tryAll(signal: AbortSignal): Promise<Member | undefined> {
    const round = new AbortController();
    const roundSignal = AbortSignal.any([signal, round.signal]);
    let turn: Promise<unknown> = Promise.resolve();
    const attempts = shuffle(this.#endpoints).map((endpoint) => {
      const attempt = turn.then(() => this.#try(endpoint, roundSignal));
      const headStart = turn.then(() => sleep(HEAD_START_MS, undefined, { signal: roundSignal }));
      turn = Promise.race([attempt, headStart]).catch(() => undefined);
      return attempt;
    });
    try {
      const winner = await Promise.any(attempts);
      for (const attempt of attempts) {
        void attempt.then(
          (member) => member !== winner && member.connection.close(new Error('another server was faster')),
          () => undefined,
        );
      }
      if (!signal.aborted) return winner;
      winner.connection.close(new Error('nobody waits for it any more'));
    } catch (error) {
      this.#lastProblem = (error as AggregateError).errors.map(({ message }) => message).join('; ');
    } finally {
      round.abort();
    }
    return undefined;
  }

  async #try(endpoint: Endpoint, signal: AbortSignal): Promise<Member> {
    const { connect, connectTimeoutMs, probeIntervalMs, database, leaderOnly } = this.#options;
    const name = formatEndpoint(endpoint);
    using limit = new Limit(connectTimeoutMs, signal);
    const attempt = new AbortController();
    limit.onReached((reason) => attempt.abort(reason));
    let connection: Connection | undefined;
    try {
      const stream = await connect(endpoint, attempt.signal);
      connection = new Connection(stream, { name, probeIntervalMs, counters: this.counters });
      this.#track(connection);
      return await Member.join(
        connection,
        { database, leaderOnly, asksForSchema: this.asksForSchema, seen: this.#seen },
        limit,
      );
    } catch (error) {
      const problem = new Error(`${name}: ${(error as Error).message}`, { cause: error });
      connection?.close(problem);
      if (!signal.aborted) {
        this.counters.failedAttempts++;
        publish('session', { event: 'failed', remote: name, database, reason: problem });
        this.#emit('failed', { remote: name, reason: problem });
      }
      throw problem;
    }
  }

  #track(connection: Connection): void {
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
  }
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
