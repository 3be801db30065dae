/** How the process ends, so that a script can decide without reading what was printed. */
export const EXIT = {
  /** All is as it should be, or what was asked for is done. */
  ok: 0,
  /** It was looked at, and something is not as it should be. */
  found: 1,
  /** The command line is wrong, or names what is not there. */
  usage: 2,
  /** The cluster or OVN is not reached, or does not let this user look. */
  unreachable: 3,
  /** Not done yet: run the same command again. */
  unfinished: 4,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** What ends a command; its message is all that the reader gets. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
