import type { CallOptions, Operation, OperationResult, OvsdbClient, TypedSchema } from 'ovsdb-client-ts';
import { TypedDatabase } from '../../packages/ovsdb-client-ts/src/typed/database.ts';

/** Answers operations as a server would, once they are made. */
export type CarryOut = (operations: readonly Operation[], options: CallOptions) => Promise<OperationResult[]>;

/** A client of a database that a model is, of the schema that is asked for. */
export function clientOf(carryOut: CarryOut): OvsdbClient {
  return {
    typed: <T>(schema: TypedSchema<T>) =>
      new TypedDatabase(schema, {
        transact: (makeOperations, options) => carryOut(makeOperations(schema), options),
        subscription: () => {
          throw new Error('The models of databases are not monitored.');
        },
      }),
  } as Partial<OvsdbClient> as OvsdbClient;
}
