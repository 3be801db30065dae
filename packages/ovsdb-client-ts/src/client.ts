import type { EventEmitter } from 'node:events';
import { type ClientCounters, traceRequest } from './diagnostics.ts';
import { OutcomeUnknownError, SchemaError, TransactionError } from './errors.ts';
import { Lock } from './lock.ts';
import { Monitor } from './monitor/monitor.ts';
import type { SubscriptionSource } from './monitor/subscription.ts';
import type { MonitorRequests } from './monitor/updates.ts';
import { type CallOptions, checkDuration, Limit } from './rpc/limit.ts';
import { type Member, withSchema } from './session/member.ts';
import { type ConnectionEvents, Session } from './session/session.ts';
import { type Connect, connectSocket, type TlsMaterial } from './transport/connect.ts';
import { parseRemote } from './transport/remote.ts';
import { TypedDatabase } from './typed/database.ts';
import type { TypedSchema } from './typed/types.ts';
import type { Operation, OperationResult } from './wire/operations.ts';
import { readResults } from './wire/results.ts';

/**
 * What a client is made of.
 *
 * @see [ovsdb(7), "Active Connection Methods"](https://docs.openvswitch.org/en/latest/ref/ovsdb.7/)
 *
 * @example
 * ```ts
 * const options: OvsdbClientOptions = {
 *   remote: 'ssl:10.0.0.1:6641,ssl:10.0.0.2:6641,ssl:10.0.0.3:6641',
 *   database: 'OVN_Northbound',
 *   tls: { cert: 'client.pem', key: 'client-key.pem', ca: 'ca.pem' },
 *   requestTimeoutMs: 2000,
 * };
 * await using client = new OvsdbClient(options);
 * ```
 */
export interface OvsdbClientOptions {
  /** Where the servers are: `unix:<file>`, `tcp:<host>:<port>`, `ssl:<host>:<port>`; members of a cluster with commas. */
  remote: string;
  /** Name of the database, such as `OVN_Northbound`. */
  database: string;
  /** Needed for `ssl:` remotes. */
  tls?: TlsMaterial;
  /** Of a cluster use only the leader; otherwise any member that is in contact with it. @default true */
  leaderOnly?: boolean;
  /** Limit of one attempt to reach one server, in milliseconds. @default 5000 */
  connectTimeoutMs?: number;
  /**
   * Limit of a request from call to answer when the call names none, in milliseconds. Waiting for a usable server
   * counts. @default 10000
   */
  requestTimeoutMs?: number;
  /** Limit of a monitor's first answer, the contents of its tables, in milliseconds. @default 60000 */
  snapshotTimeoutMs?: number;
  /**
   * Silence on the connection after which the server is probed, and after as much again given up, in milliseconds.
   * 0 never probes. For the contents of a monitor the server may be silent for as long as their own limit. @default 5000
   */
  probeIntervalMs?: number;
  /** Opens the byte stream instead of node:net and node:tls. */
  connect?: Connect;
}

/**
 * A client of one database. Connects on first use, and again on the next use after the connection was lost. A request
 * waits for a usable server within its limit and is sent at most once.
 *
 * Its methods throw ConnectError or UnsendableError (not sent), RpcError (rejected), OutcomeUnknownError (sent, and no
 * answer).
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const [result] = await client.transact([{ op: 'insert', table: 'DNS', row: {} }]);
 * fromWireUuid(result!.uuid!).length; // => 36
 * ```
 */
export class OvsdbClient implements AsyncDisposable {
  readonly #database: string;
  readonly #requestTimeoutMs: number;
  readonly #snapshotTimeoutMs: number;
  readonly #session: Session;
  /** `up`, `down` and `failed`: what happens to the connection. */
  readonly events: EventEmitter<ConnectionEvents>;

  /** @throws TypeError for a malformed remote, or what is no duration */
  constructor(options: OvsdbClientOptions) {
    const { connectTimeoutMs = 5000, probeIntervalMs = 5000 } = options;
    this.#database = options.database;
    this.#requestTimeoutMs = checkDuration('requestTimeoutMs', options.requestTimeoutMs ?? 10_000);
    this.#snapshotTimeoutMs = checkDuration('snapshotTimeoutMs', options.snapshotTimeoutMs ?? 60_000);
    this.#session = new Session({
      endpoints: parseRemote(options.remote),
      database: options.database,
      leaderOnly: options.leaderOnly ?? true,
      connectTimeoutMs: checkDuration('connectTimeoutMs', connectTimeoutMs),
      probeIntervalMs: checkDuration('probeIntervalMs', probeIntervalMs),
      connect: options.connect ?? connectSocket(options.tls),
    });
    this.events = this.#session.events;
  }

  /** What was counted until now. */
  get counters(): ClientCounters {
    return { ...this.#session.counters };
  }

  /**
   * Executes the operations as one transaction and returns a result for each (RFC 7047 section 4.1.3).
   * @throws TransactionError: rejected, nothing was committed
   */
  async transact(operations: readonly Operation[], options: CallOptions = {}): Promise<OperationResult[]> {
    return await this.#withMember('transact', options, (member, limit) => this.#transactOn(member, operations, limit));
  }

  /**
   * The same database with the types of its tables, from a module that ovsdb-codegen wrote.
   * @throws SchemaError for the schema of another database
   */
  typed<T>(schema: TypedSchema<T>): TypedDatabase<T> {
    if (schema.name !== this.#database) {
      throw new SchemaError(`The schema is of ${schema.name} and this client of the database ${this.#database}`);
    }
    this.#session.asksForSchema = true;
    return new TypedDatabase(schema, {
      transact: (makeOperations, options) =>
        this.#withMember('transact', options, async (member, limit) => {
          const operations = await withSchema(member, limit, makeOperations);
          return await this.#transactOn(member, operations, limit);
        }),
      subscription: (options) => this.#subscription(options),
    });
  }

  /**
   * Follows tables as raw updates; for rows as they are, use a cache of a typed database. The options limit the wait for
   * a server at the start, and the signal that for the first contents as well.
   */
  monitor(tables: MonitorRequests, options: CallOptions = {}): Monitor {
    return new Monitor(tables, this.#subscription(options));
  }

  /** Names of the databases that the server has (RFC 7047 section 4.1.1). */
  async listDatabases(options: CallOptions = {}): Promise<string[]> {
    return (await this.#request('list_dbs', [], options)) as string[];
  }

  /** The server's schema of this database (RFC 7047 section 4.1.2), as the JSON of section 3.2. */
  async getSchema(options: CallOptions = {}): Promise<unknown> {
    return await this.#request('get_schema', [this.#database], options);
  }

  /** Uuid of the server process (ovsdb-server(7) section 4.1.17). */
  async getServerId(options: CallOptions = {}): Promise<string> {
    return (await this.#request('get_server_id', [], options)) as string;
  }

  /** Converts the database to another schema, online (ovsdb-server(7) section 4.1.18). */
  async convert(schema: unknown, options: CallOptions = {}): Promise<void> {
    await this.#withMember('convert', options, async (member, limit) => {
      await member.connection.request('convert', [this.#database, schema], limit, () => member.forgetSchema());
    });
  }

  /** Sends the parameters there and back (RFC 7047 section 4.1.11). */
  async echo(params: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    return await this.#request('echo', params, options);
  }

  /**
   * Asks for a lock; it may be held at once or later (RFC 7047 section 4.1.8). Its name is an `<id>`: letters, digits and
   * underscores, no digit first. It belongs to the present connection and is lost with it.
   */
  async lock(name: string, options: CallOptions = {}): Promise<Lock> {
    return await this.#withMember('lock', options, (member, limit) =>
      Lock.request('lock', name, member.connection, limit),
    );
  }

  /** Takes a lock, whoever held it (RFC 7047 section 4.1.8). */
  async steal(name: string, options: CallOptions = {}): Promise<Lock> {
    return await this.#withMember('steal', options, (member, limit) =>
      Lock.request('steal', name, member.connection, limit),
    );
  }

  /**
   * Uses these servers from now on, written as the option `remote`. The present one is left when it is not among them,
   * and what is in flight there gets its answer first.
   * @throws TypeError for a malformed remote
   */
  setRemote(remote: string): void {
    this.#session.setEndpoints(parseRemote(remote));
  }

  /**
   * Forgets how far the log of the cluster had come, after which members that are behind it are not used. A cluster that
   * is made anew, also from a backup, is known by its own id; this is for one whose servers got their old files back.
   */
  resetIndex(): void {
    this.#session.resetIndex();
  }

  /** Ends every connection. Requests in flight get OutcomeUnknownError, later ones ConnectError. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #subscription({ signal, timeoutMs = this.#requestTimeoutMs }: CallOptions): SubscriptionSource {
    return {
      session: this.#session,
      database: this.#database,
      snapshotTimeoutMs: this.#snapshotTimeoutMs,
      timeoutMs: checkDuration('timeoutMs', timeoutMs),
      signal,
    };
  }

  async #transactOn(member: Member, operations: readonly Operation[], limit: Limit): Promise<OperationResult[]> {
    const isFinal = member.watchRejection();
    let rejectionIsFinal = false;
    const reply = await member.connection.request('transact', [this.#database, ...operations], limit, () => {
      rejectionIsFinal = isFinal();
    });
    try {
      return readResults(operations, reply);
    } catch (error) {
      if (rejectionIsFinal || !(error instanceof TransactionError)) throw error;
      const reason = `${error.message}; but a cluster may have tried it twice, the first time with success`;
      throw new OutcomeUnknownError('transact', reason, { cause: error });
    }
  }

  async #request(method: string, params: readonly unknown[], options: CallOptions): Promise<unknown> {
    return await this.#withMember(method, options, (member, limit) => member.connection.request(method, params, limit));
  }

  async #withMember<T>(
    method: string,
    { signal, timeoutMs = this.#requestTimeoutMs }: CallOptions,
    use: (member: Member, limit: Limit) => Promise<T>,
  ): Promise<T> {
    using limit = new Limit(timeoutMs, signal);
    const run = async (): Promise<T> => await use(await this.#session.member(limit), limit);
    return await traceRequest({ method, database: this.#database }, run);
  }
}
