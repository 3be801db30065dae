import { ConnectError, OutcomeUnknownError, ProtocolError } from './errors.ts';
import type { Connection } from './rpc/connection.ts';
import { type CallOptions, Limit } from './rpc/limit.ts';

/**
 * A lock that was asked for (RFC 7047 section 4.1.8): first queued, then held, and once it is lost, lost for good. It
 * belongs to one connection.
 *
 * @see [RFC 7047, section 4.1.8](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.8)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * await using lock: Lock = await client.lock('example');
 * await lock.held({ timeoutMs: 5000 });
 * lock.isHeld; // => true
 * ```
 */
export class Lock implements AsyncDisposable {
  readonly name: string;
  /** Settles with the reason when the lock is stolen, released, or lost with the connection. */
  readonly lost: Promise<Error>;
  readonly #connection: Connection;
  readonly #acquired = Promise.withResolvers<void>();
  readonly #resolveLost: (reason: Error) => void;
  readonly #stopListening: (() => void)[] = [];
  #state: 'queued' | 'held' | 'lost' = 'queued';

  private constructor(name: string, connection: Connection) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.name = name;
    this.lost = promise;
    this.#resolveLost = resolve;
    this.#connection = connection;
    this.#acquired.promise.catch(() => undefined);
  }

  static async request(method: 'lock' | 'steal', name: string, connection: Connection, limit: Limit): Promise<Lock> {
    const lock = new Lock(name, connection);
    const { lockNames } = connection;
    const isSecond = lockNames.has(name);
    lockNames.add(name);
    try {
      await connection.request(method, [name], limit, (result) => lock.#start(method, result));
    } catch (error) {
      if (isSecond) throw error;
      lockNames.delete(name);
      // The server has the request, or will have: nobody would ever use the lock, nor give it back.
      if (error instanceof OutcomeUnknownError) void release(name, connection).catch(() => undefined);
      throw error;
    }
    return lock;
  }

  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Waits until the lock is held. Without a time-out it waits for ever. @throws Error when it is lost instead */
  async held({ signal, timeoutMs = Number.POSITIVE_INFINITY }: CallOptions = {}): Promise<void> {
    using limit = new Limit(timeoutMs, signal);
    await new Promise<void>((resolve, reject) => {
      this.#acquired.promise.then(resolve, reject);
      limit.onReached((reason) => reject(new Error(`lock "${this.name}" is not held: ${reason.message}`)));
    });
  }

  /**
   * Gives the lock back, or the place in its queue.
   * @throws OutcomeUnknownError when the server does not confirm it in time; it will when it reads on
   */
  async unlock({ signal, timeoutMs = 10_000 }: CallOptions = {}): Promise<void> {
    if (this.#state === 'lost') return;
    using limit = new Limit(timeoutMs, signal);
    const released = this.#leave(new Error(`lock "${this.name}" was released`));
    await new Promise<void>((resolve, reject) => {
      released.then(resolve, reject);
      limit.onReached((reason) => reject(new OutcomeUnknownError('unlock', reason.message, { cause: reason })));
    });
  }

  /** The same as `unlock`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unlock();
  }

  /** From the reply on, and not before: an earlier message is about an earlier lock of this name. */
  #start(method: string, result: unknown): void {
    const { locked } = result as { locked?: unknown };
    if (typeof locked !== 'boolean') throw new ProtocolError(`The reply to ${method} has no boolean "locked"`);
    const onEvent = (event: string): void => (event === 'locked' ? this.#hold() : this.#leaveStolen());
    this.#stopListening.push(
      this.#connection.listen(`lock:${this.name}`, onEvent),
      this.#connection.onClosed((reason) => this.#lose(reason)),
    );
    if (locked) this.#hold();
  }

  /** The server keeps whom a lock was stolen from in its queue, and would give it back some day. */
  #leaveStolen(): void {
    void this.#leave(new Error(`lock "${this.name}" was stolen`)).catch(() => undefined);
  }

  #leave(reason: Error): Promise<void> {
    this.#lose(reason);
    return release(this.name, this.#connection);
  }

  #hold(): void {
    if (this.#state !== 'queued') return;
    this.#state = 'held';
    this.#acquired.resolve();
  }

  #lose(reason: Error): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#connection.lockNames.delete(this.name);
    for (const stop of this.#stopListening) stop();
    this.#acquired.reject(reason);
    this.#resolveLost(reason);
  }
}

/** Has no limit: the request must reach the server after all that went before, or the connection must end. */
async function release(name: string, connection: Connection): Promise<void> {
  using limit = new Limit(Number.POSITIVE_INFINITY);
  await connection.request('unlock', [name], limit).catch((error) => {
    const isGone = error instanceof OutcomeUnknownError || error instanceof ConnectError;
    if (!isGone) throw error;
  });
}
