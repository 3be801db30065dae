import type { SubscriptionSource } from '../monitor/subscription.ts';
import type { CallOptions } from '../rpc/limit.ts';
import type { DatabaseSchema } from '../schema/schema.ts';
import type { Operation, OperationResult } from '../wire/operations.ts';
import { Cache, type CacheClauses } from './cache.ts';
import type { CacheTables } from './cache-types.ts';
import { type AnyOperation, Operations, type ResultsOf } from './operations.ts';
import { Rows } from './rows.ts';
import { ServerSchema } from './table-codec.ts';
import type { TypedSchema } from './types.ts';

/** Runs a transaction that is made when the server, and so its schema, is known. */
export type Transact = (
  makeOperations: (server: DatabaseSchema) => Operation[],
  options: CallOptions,
) => Promise<OperationResult[]>;

/** What a typed database needs of its client. */
export interface DatabaseConnection {
  readonly transact: Transact;
  subscription(options: CallOptions): SubscriptionSource;
}

/**
 * A client that knows the types of the database's tables. Also builds the operations for its transactions.
 *
 * @see [RFC 7047, section 4.1.3](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.3)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb: TypedDatabase<OVNNorthbound> = client.typed(schema);
 * const [id] = await nb.transact([nb.insert('Logical_Switch', { name: 'net1' })]);
 * await nb.transact([nb.delete('Logical_Switch', [['_uuid', '==', id]])]); // => [1]
 * ```
 */
export class TypedDatabase<T> extends Operations<T> {
  readonly #schema: TypedSchema<T>;
  readonly #connection: DatabaseConnection;
  /** Of the server that was used last; it remembers what goes with what is known here. */
  #server: ServerSchema | undefined;

  constructor(schema: TypedSchema<T>, connection: DatabaseConnection) {
    super(schema);
    this.#schema = schema;
    this.#connection = connection;
  }

  /**
   * Executes the operations as one transaction and returns the result of each.
   * @throws as OvsdbClient.transact, and SchemaError when an operation does not go with the server's schema
   */
  async transact<const O extends readonly AnyOperation[]>(
    operations: O,
    options: CallOptions = {},
  ): Promise<ResultsOf<O>> {
    const results = await this.#connection.transact((serverSchema) => {
      if (this.#server?.schema !== serverSchema) this.#server = new ServerSchema(serverSchema, this.#schema);
      const server = this.#server;
      return operations.map((operation) => operation.toWire(server));
    }, options);
    return operations.map((operation, index) => operation.read(results[index]!)) as ResultsOf<O>;
  }

  /**
   * Holds a copy of tables and keeps it up to date, through reconnects too. Close it when done. The options limit the
   * wait for a server at the start, and the signal that for the first contents as well.
   */
  cache<const S extends CacheTables<T>>(tables: S, options: CallOptions = {}): Cache<T, S> {
    const held = Object.entries(tables as Record<string, { columns?: readonly string[]; where?: CacheClauses }>).map(
      ([name, { columns, where }]) => {
        const codec = this.codec(name);
        const all = columns === undefined ? codec.columns : [...new Set(['_uuid', ...columns])];
        return [name, { rows: new Rows(codec.rowDecoder(all)), codec, columns: all, where }] as const;
      },
    );
    return new Cache<T, S>(this.#connection.subscription(options), this.#schema, new Map(held));
  }
}
