import { OutcomeUnknownError, ProtocolError } from './errors.ts';
import type { Connection } from './rpc/connection.ts';
import { type CallOptions, Limit } from './rpc/limit.ts';

/**
 * A lock that was asked for (RFC 7047 section 4.1.8). It belongs to one connection: it is lost for good when that is
 * lost or when somebody steals it.
 */
export class Lock implements AsyncDisposable {
  readonly name: string;
  /** Settles with the reason when the lock is stolen, released, or lost with the connection. */
  readonly lost: Promise<Error>;
  readonly #connection: Connection;
  readonly #acquired = Promise.withResolvers<void>();
  readonly #resolveLost: (reason: Error) => void;
  #state: 'queued' | 'held' | 'lost' = 'queued';

  private constructor(name: string, connection: Connection) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.name = name;
    this.lost = promise;
    this.#resolveLost = resolve;
    this.#connection = connection;
    this.#acquired.promise.catch(() => undefined);
    void connection.closed.then((reason) => this.#lose(reason));
  }

  static async request(method: 'lock' | 'steal', name: string, connection: Connection, limit: Limit): Promise<Lock> {
    const lock = new Lock(name, connection);
    const stop = connection.listen(`lock:${name}`, (event) => {
      if (event === 'locked') lock.#hold();
      else lock.#lose(new Error(`lock "${name}" was stolen`));
    });
    void lock.lost.then(stop);
    await connection.request(method, [name], limit, (result) => {
      const { locked } = result as { locked?: unknown };
      if (typeof locked !== 'boolean') throw new ProtocolError(`The reply to ${method} has no boolean "locked"`);
      if (locked) lock.#hold();
    });
    return lock;
  }

  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Waits until the lock is held. Without a time-out it waits for ever. @throws Error when it is lost instead */
  async held({ signal, timeoutMs = 2 ** 31 - 1 }: CallOptions = {}): Promise<void> {
    using limit = new Limit(timeoutMs, signal);
    await new Promise<void>((resolve, reject) => {
      this.#acquired.promise.then(resolve, reject);
      limit.onReached((reason) => reject(new Error(`lock "${this.name}" is not held: ${reason.message}`)));
    });
  }

  /** Gives the lock back, or the place in its queue. */
  async unlock({ signal, timeoutMs = 10_000 }: CallOptions = {}): Promise<void> {
    if (this.#state === 'lost') return;
    this.#lose(new Error(`lock "${this.name}" was released`));
    using limit = new Limit(timeoutMs, signal);
    await this.#connection.request('unlock', [this.name], limit).catch((error) => {
      if (!(error instanceof OutcomeUnknownError)) throw error;
      // Certain only when the connection is gone, and the lock with it.
      this.#connection.close(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unlock();
  }

  #hold(): void {
    if (this.#state !== 'queued') return;
    this.#state = 'held';
    this.#acquired.resolve();
  }

  #lose(reason: Error): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#acquired.reject(reason);
    this.#resolveLost(reason);
  }
}
