import { appendFileSync } from 'node:fs';

/** What happened, one of few words so that a reader of the log can pick its lines. */
export type Moment =
  | 'vmi-phase'
  | 'vmim-phase'
  | 'pod'
  | 'plugged'
  | 'unplugged'
  | 'guest-started'
  | 'copying'
  | 'switched'
  | 'copied'
  | 'copy-failed'
  | 'node-moved'
  | 'error';

export type Log = (what: Moment, details: Record<string, unknown>) => void;

/** A log of JSON lines `{ at, what, …details }`, `at` in ISO format with milliseconds; without a file it is dropped. */
export function openLog(file: string | undefined): Log {
  if (file === undefined) return () => {};
  return (what, details) =>
    appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), what, ...details })}\n`);
}
