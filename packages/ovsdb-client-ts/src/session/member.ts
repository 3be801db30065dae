import { ConnectError, RpcError, SchemaError } from '../errors.ts';
import type { Connection } from '../rpc/connection.ts';
import { Limit } from '../rpc/limit.ts';
import type { DatabaseSchema } from '../schema/schema.ts';
import type { WireRow } from '../wire/types.ts';
import { type Demands, type LogPosition, readServerRow, type ServerRow, whyUnusable } from './server-row.ts';

const MONITOR_ID = '_Server';
const SCHEMA_MONITOR_ID = '_Server.schema';
/** A member gives a log entry twice the election timer, of which the least allowed is 100 ms. */
const SOONEST_SECOND_TRY_MS = 200;
type RowUpdates = Readonly<Record<string, { new?: WireRow }>>;

/** A connection to a server that may be used, for as long as its row in `_Server` says so. */
export class Member {
  readonly connection: Connection;
  readonly #demands: Demands;
  readonly #wireRows = new Map<string, WireRow>();
  #row: ServerRow | undefined;
  #hasServerDatabase = true;
  #leftReason: Error | undefined;
  readonly #leftListeners = new Set<(reason: Error) => void>();
  #timesInOffice = 0;
  #schema: Promise<DatabaseSchema> | undefined;

  private constructor(connection: Connection, demands: Demands) {
    this.connection = connection;
    this.#demands = demands;
    connection.onClosed((reason) => this.leave(reason));
  }

  /** Asks the server about itself and keeps listening. @throws Error saying why it must not be used */
  static async join(connection: Connection, demands: Demands, limit: Limit): Promise<Member> {
    const member = new Member(connection, demands);
    await member.#watch(limit);
    const problem = member.#problem();
    if (problem !== undefined) throw new Error(problem);
    return member;
  }

  get isUsable(): boolean {
    return this.#leftReason === undefined;
  }

  /**
   * Calls the listener when the server must not be used any more or the connection is gone, at once if that is so.
   * Returns the way to stop.
   */
  onLeft(listener: (reason: Error) => void): () => void {
    if (this.#leftReason !== undefined) listener(this.#leftReason);
    else this.#leftListeners.add(listener);
    return () => this.#leftListeners.delete(listener);
  }

  /** How far the cluster's log has come by what this server has shown; undefined unless clustered. */
  get position(): LogPosition | undefined {
    const { cid, index } = this.#row ?? {};
    return index === undefined ? undefined : { cid, index };
  }

  /**
   * Call it when a transaction is sent, and what it returns when the answer is there: whether a rejection is certain to
   * have changed nothing. In a cluster ovsdb-server runs a transaction again by itself when the leader changes or the
   * log does not move on in time; one that had been committed then fails at its own guard. So a rejection counts only
   * from a server that was the leader throughout, and that had no time to try twice. A relay hides which server that
   * was, and even whether there is a cluster behind it (ovsdb(7), "Relay Service Model").
   */
  watchRejection(): () => boolean {
    const sentAt = performance.now();
    const model = this.#model();
    const wasLeader = this.#isLeader();
    const office = this.#timesInOffice;
    return () => {
      if (model !== this.#model()) return false;
      if (model !== 'clustered') return model === 'standalone';
      const inOneGo = performance.now() - sentAt < SOONEST_SECOND_TRY_MS;
      return inOneGo && wasLeader && this.#isLeader() && this.#timesInOffice === office;
    };
  }

  /**
   * The server's schema of the database, asked for once, and again when it was converted to another.
   * @throws ConnectError when it does not come: what it is needed for was not sent
   */
  schema(limit: Limit): Promise<DatabaseSchema> {
    return new Promise((resolve, reject) => {
      const fail = (reason: Error): void => {
        reject(
          new ConnectError(`Nothing was sent: the server's schema is missing: ${reason.message}`, { cause: reason }),
        );
      };
      this.#schema ??= this.#askForSchema();
      this.#schema.then(resolve, fail);
      limit.onReached(fail);
    });
  }

  forgetSchema(): void {
    this.#schema = undefined;
  }

  /** Has no limit of its own, as several may wait for it. */
  async #askForSchema(): Promise<DatabaseSchema> {
    using limit = new Limit(Number.POSITIVE_INFINITY);
    return (await this.connection.request('get_schema', [this.#demands.database], limit)) as DatabaseSchema;
  }

  async #watch(limit: Limit): Promise<void> {
    this.connection.listen(`monitor:${MONITOR_ID}`, (_method, params) => {
      this.#apply(params[1]);
      if (!this.#isLeader()) this.#timesInOffice++;
      const problem = this.#problem();
      if (problem !== undefined) this.leave(new Error(problem));
    });
    this.connection.listen(`monitor:${SCHEMA_MONITOR_ID}`, () => this.forgetSchema());
    // The index changes with every transaction; only readers of followers need to follow it.
    const requests = [
      { columns: ['name', 'model', 'connected', 'leader', 'cid'] },
      { columns: ['index'], select: { modify: !this.#demands.leaderOnly } },
    ];
    const onSchemaChange = { columns: ['schema'], select: { initial: false } };
    const watching = Promise.allSettled([
      this.connection.request('set_db_change_aware', [true], limit),
      this.connection.request('monitor', ['_Server', MONITOR_ID, { Database: requests }], limit, (initial) =>
        this.#apply(initial),
      ),
      // Apart from the others: updates have all columns of a monitor, and this one is large.
      this.connection.request('monitor', ['_Server', SCHEMA_MONITOR_ID, { Database: [onSchemaChange] }], limit),
    ]);
    // Sent with the others, so that whoever needs it waits for one answer less; what comes of it is theirs to see.
    if (this.#demands.asksForSchema) {
      this.#schema = this.#askForSchema();
      this.#schema.catch(() => undefined);
    }
    const answers = await watching;
    for (const answer of answers) {
      // Servers before OVS 2.9 know neither; they are not clustered.
      if (answer.status === 'rejected' && !(answer.reason instanceof RpcError)) throw answer.reason;
    }
    this.#hasServerDatabase = answers[1].status === 'fulfilled';
  }

  #apply(updates: unknown): void {
    for (const [id, update] of Object.entries((updates as { Database?: RowUpdates }).Database ?? {})) {
      if (update.new === undefined) this.#wireRows.delete(id);
      else this.#wireRows.set(id, { ...this.#wireRows.get(id), ...update.new });
    }
    this.#row = [...this.#wireRows.values()].map(readServerRow).find(({ name }) => name === this.#demands.database);
  }

  /** A server without `_Server` is older than clusters and relays. */
  #model(): string | undefined {
    return this.#hasServerDatabase ? this.#row?.model : 'standalone';
  }

  #isLeader(): boolean {
    return this.#row?.leader === true;
  }

  #problem(): string | undefined {
    return this.#hasServerDatabase ? whyUnusable(this.#row, this.#demands) : undefined;
  }

  /** Ends its use; requests in flight get their answers first. */
  leave(reason: Error): void {
    if (this.#leftReason !== undefined) return;
    this.#leftReason = reason;
    this.connection.retire(reason);
    for (const listener of this.#leftListeners) listener(reason);
    this.#leftListeners.clear();
  }
}

/**
 * Makes something by the server's schema. What does not go with it is tried once more by the newest: when a schema was
 * converted, answers by the new one may come before the news of it.
 */
export async function withSchema<T>(member: Member, limit: Limit, make: (schema: DatabaseSchema) => T): Promise<T> {
  try {
    return make(await member.schema(limit));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    member.forgetSchema();
    return make(await member.schema(limit));
  }
}
