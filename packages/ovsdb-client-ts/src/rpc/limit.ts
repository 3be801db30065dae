/** What every call that waits accepts. */
export interface CallOptions {
  /** Gives the call up when it aborts. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from the call to its end, waiting for a connection included. */
  timeoutMs?: number | undefined;
}

/** The limit of one call through all its stages: one timer and one signal for all of them. */
export class Limit implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #reason: Error | undefined;
  #listeners: ((reason: Error) => void)[] = [];

  constructor(timeoutMs: number, signal?: AbortSignal) {
    this.#signal = signal;
    if (signal?.aborted) {
      this.#reach(abortReason(signal));
      return;
    }
    this.#timer = setTimeout(() => this.#reach(new Error(`${timeoutMs} ms passed`)), timeoutMs);
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
