import type { CallOptions, Operation, OperationResult, OvsdbClient } from 'ovsdb-client-ts';
import { type CarryOut, clientOf } from '../../../explore/model/client.ts';

/** A transaction as it was sent. */
export interface Transaction {
  readonly operations: readonly Operation[];
  readonly options: CallOptions;
}

/** A client of a database that is none: what it answers is up to the test, and what it was asked is kept. */
export class RecordingClient {
  readonly transactions: Transaction[] = [];
  readonly client: OvsdbClient;
  /** Called before a transaction is carried out; may throw. */
  before: () => void = () => {};

  constructor(carryOut: (operations: readonly Operation[]) => OperationResult[]) {
    const transact: CarryOut = async (operations, options) => {
      this.transactions.push({ operations, options });
      this.before();
      return carryOut(operations);
    };
    this.client = clientOf(transact);
  }

  /** What each transaction looked for, such as `Port_Binding _uuid ==`. */
  get looks(): string[][] {
    return this.transactions.map(({ operations }) =>
      operations.map((each) =>
        each.op === 'select' ? `${each.table} ${each.where[0]!.slice(0, 2).join(' ')}` : each.op,
      ),
    );
  }
}
