import { ConnectError } from './errors.ts';
import { type CallOptions, Limit } from './rpc/limit.ts';
import { Session } from './session/session.ts';
import type { Connect } from './transport/connect.ts';
import { parseRemote } from './transport/remote.ts';
import type { Operation, OperationResult } from './wire/operations.ts';
import { readResults } from './wire/results.ts';

export interface OvsdbClientOptions {
  /** Where the servers are: `unix:<file>`, `tcp:<host>:<port>`, `ssl:<host>:<port>`; members of a cluster with commas. */
  remote: string;
  /** Name of the database, such as `OVN_Northbound`. */
  database: string;
  /** Limit of one attempt to reach one server, in milliseconds. @default 5000 */
  connectTimeoutMs?: number;
  /** Limit of a request from call to answer when the call names none, in milliseconds. @default 10000 */
  requestTimeoutMs?: number;
  /** Opens the byte stream instead of node:net and node:tls. */
  connect?: Connect;
}

/** A client of one database. Connects on first use, and again on the next use after the connection was lost. */
export class OvsdbClient implements AsyncDisposable {
  readonly #database: string;
  readonly #requestTimeoutMs: number;
  readonly #session: Session;

  /** @throws TypeError for a malformed remote. */
  constructor({ remote, database, connectTimeoutMs = 5000, requestTimeoutMs = 10_000, connect }: OvsdbClientOptions) {
    this.#database = database;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#session = new Session({ endpoints: parseRemote(remote), connectTimeoutMs, connect });
  }

  /**
   * Executes the operations as one transaction (RFC 7047 section 4.1.3) and returns a result for each. It is sent at
   * most once.
   * @throws TransactionError, RpcError: refused. ConnectError, UnsendableError: not sent. OutcomeUnknownError: sent and
   * no answer. ProtocolError: the server answered nonsense.
   */
  async transact(operations: readonly Operation[], options: CallOptions = {}): Promise<OperationResult[]> {
    return readResults(operations, await this.#request('transact', [this.#database, ...operations], options));
  }

  /** Ends the connection. Requests in flight get OutcomeUnknownError, later ones ConnectError. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #request(method: string, params: readonly unknown[], { signal, timeoutMs }: CallOptions): Promise<unknown> {
    using limit = new Limit(timeoutMs ?? this.#requestTimeoutMs, signal);
    const connection = await limit.race(
      this.#session.connection(),
      (reason) => new ConnectError(`${method} was not sent: ${reason.message}`, { cause: reason }),
    );
    return await connection.request(method, params, limit);
  }
}
