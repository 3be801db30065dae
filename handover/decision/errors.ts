/** Something that is expected to pass: the caller answers 503 and is called again. */
export class TryAgainError extends Error {
  override readonly name = 'TryAgainError';
  readonly retryAfterSeconds: number;
  /** Reason of the warning on the VMI, where somebody may have to help for it to pass. */
  readonly warning: string | undefined;

  constructor(message: string, options: { retryAfterSeconds?: number; warning?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
    this.warning = options.warning;
  }
}

/** What was read may no longer be so, or it is not known whether a write counted: look again at once. */
export class LookAgainError extends Error {
  override readonly name = 'LookAgainError';
}
