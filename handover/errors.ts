/** Something that is expected to pass: the caller answers 503 and is called again. */
export class TryAgainError extends Error {
  override readonly name = 'TryAgainError';
  readonly retryAfterSeconds: number;

  constructor(message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}

/** What was read may no longer be so, or it is not known whether a write counted: look again at once. */
export class LookAgainError extends Error {
  override readonly name = 'LookAgainError';
}
