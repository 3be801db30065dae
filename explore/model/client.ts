import type { CallOptions, Operation, OperationResult, OvsdbClient, TypedSchema } from 'ovsdb-client-ts';
import { TypedDatabase } from '../../packages/ovsdb-client-ts/src/typed/database.ts';

/** Answers operations as a server would, once they are made. */
export type CarryOut = (operations: readonly Operation[], options: CallOptions) => Promise<OperationResult[]>;

/** A client of a database that a model is, of the schema that is asked for. */
export function clientOf(carryOut: CarryOut): OvsdbClient {
  const connection = {
    subscription: () => {
      throw new Error('The models of databases are not monitored.');
    },
  };
  return {
    typed: <T>(schema: TypedSchema<T>) =>
      new TypedDatabase(schema, {
        ...connection,
        transact: (makeOperations, options) => carryOut(makeOperations(schema), options),
      }),
  } as Partial<OvsdbClient> as OvsdbClient;
}
