import type { Session } from './cluster/session.ts';
import type { Terminal } from './output/terminal.ts';

export const OUTPUTS = ['table', 'json'] as const;
export type Output = (typeof OUTPUTS)[number];

/** What every command works with. */
export interface Command {
  readonly session: Session;
  readonly terminal: Terminal;
  readonly output: Output;
}
