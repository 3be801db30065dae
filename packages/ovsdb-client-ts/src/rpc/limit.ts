/** What every call that waits accepts. */
export interface CallOptions {
  /** Gives the call up when it aborts. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from the call to its end, waiting for a connection included. */
  timeoutMs?: number | undefined;
}

/** The limit of one call through all its stages: one timer, one signal, one listener at a time. */
export class Limit implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #reason: Error | undefined;
  #listener: ((reason: Error) => void) | undefined;

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

  /** Replaces the listener; it is called at once if the limit is reached already. */
  onReached(listener: ((reason: Error) => void) | undefined): void {
    this.#listener = listener;
    if (this.#reason !== undefined) listener?.(this.#reason);
  }

  /** The promise, or a rejection made of the reason when the limit comes first. */
  race<T>(promise: Promise<T>, toError: (reason: Error) => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.onReached((reason) => reject(toError(reason)));
      promise.then(resolve, reject);
    }).finally(() => this.onReached(undefined));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#listener = undefined;
  }

  readonly #onAbort = (): void => this.#reach(abortReason(this.#signal!));

  #reach(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.(reason);
  }
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(`aborted: ${String(signal.reason)}`);
}
