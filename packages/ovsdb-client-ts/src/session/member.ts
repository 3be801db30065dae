import { RpcError } from '../errors.ts';
import type { Connection } from '../rpc/connection.ts';
import type { Limit } from '../rpc/limit.ts';
import type { DatabaseSchema } from '../schema/schema.ts';
import type { WireRow } from '../wire/types.ts';
import { type Demands, readServerRow, type ServerRow, whyUnusable } from './server-row.ts';

const MONITOR_ID = '_Server';
/** A member gives a log entry twice the election timer, of which the least allowed is 100 ms. */
const SOONEST_SECOND_TRY_MS = 200;
type RowUpdates = Readonly<Record<string, { new?: WireRow }>>;

/** A connection to a server that may be used, for as long as its row in `_Server` says so. */
export class Member {
  readonly connection: Connection;
  /** Settles with the reason when the server must not be used any more or the connection is gone. */
  readonly left: Promise<Error>;
  readonly #resolveLeft: (reason: Error) => void;
  readonly #demands: Demands;
  readonly #wireRows = new Map<string, WireRow>();
  #hasServerDatabase = true;
  #hasLeft = false;
  #timesInOffice = 0;
  #schema: DatabaseSchema | undefined;

  private constructor(connection: Connection, demands: Demands) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.connection = connection;
    this.left = promise;
    this.#resolveLeft = resolve;
    this.#demands = demands;
    void connection.closed.then((reason) => this.#leave(reason));
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
    return !this.#hasLeft;
  }

  /** The position in the cluster's log that this server has shown. */
  get index(): number | bigint {
    return this.#row()?.index ?? 0;
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

  /** The server's schema of the database, asked for once. */
  async schema(limit: Limit): Promise<DatabaseSchema> {
    this.#schema ??= (await this.connection.request('get_schema', [this.#demands.database], limit)) as DatabaseSchema;
    return this.#schema;
  }

  async #watch(limit: Limit): Promise<void> {
    this.connection.listen(`monitor:${MONITOR_ID}`, (_method, params) => {
      this.#apply(params[1]);
      if (!this.#isLeader()) this.#timesInOffice++;
      const problem = this.#problem();
      if (problem !== undefined) this.#leave(new Error(problem));
    });
    // The index changes with every transaction; only readers of followers need to follow it.
    const requests = [
      { columns: ['name', 'model', 'connected', 'leader'] },
      { columns: ['index'], select: { modify: !this.#demands.leaderOnly } },
    ];
    const answers = await Promise.allSettled([
      this.connection.request('set_db_change_aware', [true], limit),
      this.connection.request('monitor', ['_Server', MONITOR_ID, { Database: requests }], limit, (initial) =>
        this.#apply(initial),
      ),
    ]);
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
  }

  #row(): ServerRow | undefined {
    for (const wireRow of this.#wireRows.values()) {
      const row = readServerRow(wireRow);
      if (row.name === this.#demands.database) return row;
    }
    return undefined;
  }

  /** A server without `_Server` is older than clusters and relays. */
  #model(): string | undefined {
    return this.#hasServerDatabase ? this.#row()?.model : 'standalone';
  }

  #isLeader(): boolean {
    return this.#row()?.leader === true;
  }

  #problem(): string | undefined {
    return this.#hasServerDatabase ? whyUnusable(this.#row(), this.#demands) : undefined;
  }

  #leave(reason: Error): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.connection.retire(reason);
    this.#resolveLeft(reason);
  }
}
