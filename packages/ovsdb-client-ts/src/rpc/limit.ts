/**
 * What every call that waits accepts.
 *
 * @see [Node.js, AbortSignal](https://nodejs.org/api/globals.html#class-abortsignal)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const controller = new AbortController();
 * const options: CallOptions = { timeoutMs: 2000, signal: controller.signal };
 * await client.echo(['in time'], options); // => ['in time']
 * ```
 */
export interface CallOptions {
  /** Gives the call up when it aborts. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from the call to its end, waiting for a connection included; Infinity for no limit. */
  timeoutMs?: number | undefined;
}

/** Node's timers take no more, and fire at once for what is beyond: 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws TypeError when this is no duration in milliseconds */
export function checkDuration(name: string, ms: number): number {
  if (typeof ms === 'number' && ms >= 0) return ms;
  throw new TypeError(`${name} is ${ms}: expected milliseconds, 0 or more, or Infinity for no limit`);
}

/** The limit of one call through all its stages: one timer and one signal for all of them. */
export class Limit implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #reason: Error | undefined;
  #listeners: ((reason: Error) => void)[] = [];

  /** @throws TypeError when the time is no duration */
  constructor(timeoutMs: number, signal?: AbortSignal) {
    checkDuration('timeoutMs', timeoutMs);
    this.#signal = signal;
    if (signal?.aborted) {
      this.#reach(abortReason(signal));
      return;
    }
    if (timeoutMs <= LONGEST_TIMER_MS) {
      this.#timer = setTimeout(() => this.#reach(new Error(`${timeoutMs} ms passed`)), timeoutMs);
    }
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** Why the limit is reached; undefined while it is not. */
  get reached(): Error | undefined {
    return this.#reason;
  }

  /** Calls the listener once, at once if the limit is reached already. One that is late must do no harm. */
  onReached(listener: (reason: Error) => void): void {
    if (this.#reason === undefined) this.#listeners.push(listener);
    else listener(this.#reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#listeners = [];
  }

  readonly #onAbort = (): void => this.#reach(abortReason(this.#signal!));

  #reach(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(`aborted: ${String(signal.reason)}`);
}
