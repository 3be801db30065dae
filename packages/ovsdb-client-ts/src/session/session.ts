import { ConnectError } from '../errors.ts';
import { Connection } from '../rpc/connection.ts';
import { type Connect, connectSocket } from '../transport/connect.ts';
import { type Endpoint, formatEndpoint } from '../transport/remote.ts';

export interface SessionOptions {
  endpoints: readonly Endpoint[];
  connectTimeoutMs: number;
  connect?: Connect | undefined;
}

/** Keeps one usable connection to one of the endpoints. */
export class Session {
  readonly #options: SessionOptions;
  #connection: Promise<Connection> | undefined;
  readonly #abort = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  connection(): Promise<Connection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async close(): Promise<void> {
    const reason = new ConnectError('the client is closed');
    this.#abort.abort(reason);
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close(reason);
  }

  async #open(): Promise<Connection> {
    try {
      const connection = await this.#tryAll();
      void connection.closed.then(() => {
        this.#connection = undefined;
      });
      return connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }

  async #tryAll(): Promise<Connection> {
    const problems: string[] = [];
    for (const endpoint of this.#options.endpoints) {
      const name = formatEndpoint(endpoint);
      const attempt = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(this.#options.connectTimeoutMs)]);
      try {
        return new Connection(await (this.#options.connect ?? connectSocket)(endpoint, attempt), name);
      } catch (error) {
        this.#abort.signal.throwIfAborted();
        problems.push(`${name}: ${(error as Error).message}`);
      }
    }
    throw new ConnectError(`No server could be reached: ${problems.join('; ')}`);
  }
}
