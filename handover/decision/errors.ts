/** Something that is expected to pass: the caller answers 503 and is called again. */
export class TryAgainError extends Error {
  override readonly name = 'TryAgainError';
  readonly retryAfterSeconds: number;

  constructor(message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}

/** What was read is no longer so, and nothing was written: look again at once. */
export class LookAgainError extends Error {
  override readonly name = 'LookAgainError';
}

/** A write was sent, and it is not known whether it counts: look whether it does. */
export class OutcomeUnknownError extends LookAgainError {}

/** The environment cannot be served: the process must end and say why. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
