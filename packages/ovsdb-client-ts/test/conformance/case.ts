import type { Operation, OperationResult } from '../../src/index.ts';

/** What a transaction does, or at which operation and with which error string it is rejected. */
export type Step =
  | { do: Operation[]; gives: OperationResult[] }
  | { do: Operation[]; fails: { index: number; tag: string } };

/**
 * Transactions against a new database, one after the other, and what the server says. `<0>`, `<1>` and so on stand for
 * uuids in the order in which the answers show them first.
 */
export interface Case {
  name: string;
  tables: Record<string, unknown>;
  steps: Step[];
}
