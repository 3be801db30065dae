import type { Operation, OperationResult } from '../wire/operations.ts';
import { fromWireUuid } from '../wire/values.ts';
import type { ServerSchema } from './table-codec.ts';
import { TableCodec } from './table-codec.ts';
import type { Condition, Mutation, TypedSchema } from './types.ts';
import { NamedUuid, type Uuid } from './uuid.ts';

/**
 * An operation that knows how its result is to be read.
 *
 * @see [RFC 7047, section 5.2](https://www.rfc-editor.org/rfc/rfc7047#section-5.2)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const count: TypedOperation<number> = nb.delete('Logical_Switch', [['name', '==', 'there is none']]);
 * await nb.transact([count]); // => [0]
 * ```
 */
export interface TypedOperation<Result> {
  /** The operation for a server with this schema. @throws SchemaError when it does not go with it */
  toWire(server: ServerSchema): Operation;
  /** What the server's answer to it says. */
  read(result: OperationResult): Result;
}

/**
 * An insert; `ref` stands for the new row in other operations of the same transaction.
 *
 * @see [RFC 7047, section 5.2.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.1)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const port: InsertOperationOf<'Logical_Switch_Port'> = nb.insert('Logical_Switch_Port', { name: 'an example' });
 * port.ref instanceof NamedUuid; // => true
 * ```
 */
export interface InsertOperationOf<Table extends string> extends TypedOperation<Uuid<Table>> {
  readonly ref: NamedUuid<Table>;
}

/**
 * An operation of which nobody asks what its result is.
 *
 * @see [RFC 7047, section 5.2](https://www.rfc-editor.org/rfc/rfc7047#section-5.2)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const operations: AnyOperation[] = [nb.comment('first'), nb.insert('DNS', {}), nb.commit(false)];
 * (await nb.transact(operations)).length; // => 3
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: any operation, whatever its result
export type AnyOperation = TypedOperation<any>;
/**
 * What the operations of a transaction give, in their order.
 *
 * @see [RFC 7047, section 4.1.3](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.3)
 *
 * @example
 * ```ts
 * type Results = ResultsOf<[TypedOperation<number>, TypedOperation<void>]>;
 * const results: Results = [1, undefined];
 * ```
 */
export type ResultsOf<Operations extends readonly AnyOperation[]> = {
  -readonly [I in keyof Operations]: Operations[I] extends TypedOperation<infer Result> ? Result : never;
};

export type TableName<T> = keyof T & string;
// biome-ignore lint/suspicious/noExplicitAny: row, insert and update of a table, which T need not declare an index for
type Types = { row: any; insert: any; update: any };
export type RowOf<T, N extends keyof T> = T[N] extends Types ? T[N]['row'] : never;
type InsertRow<T, N extends keyof T> = T[N] extends Types ? T[N]['insert'] : never;
type UpdateRow<T, N extends keyof T> = T[N] extends Types ? T[N]['update'] : never;
/** The columns of one of a table's indexes, with their values. */
export type KeyOf<T, N extends keyof T> = T[N] extends { key: infer Key } ? Key : never;
type Where<T, N extends keyof T> = readonly Condition<RowOf<T, N>>[];
export type Clauses = readonly (readonly [string, string, unknown])[];

let rows = 0;

/** Builds the operations of RFC 7047 section 5.2 for the tables of a schema. */
export class Operations<T> {
  readonly #schema: TypedSchema<T>;
  readonly #codecs = new Map<string, TableCodec>();

  constructor(schema: TypedSchema<T>) {
    this.#schema = schema;
  }

  /** With `uuid` the row gets that uuid (since OVS 2.13): a repetition then fails instead of making a second row. */
  insert<N extends TableName<T>>(
    table: N,
    row: InsertRow<T, N>,
    { uuid }: { uuid?: Uuid<N> } = {},
  ): InsertOperationOf<N> {
    const ref = new NamedUuid<N>(`row${++rows}`);
    const wireRow = this.codec(table).encodeRow(row);
    return {
      ref,
      toWire(server) {
        server.require(table, Object.keys(wireRow));
        return { op: 'insert', table, row: wireRow, 'uuid-name': ref.name, ...(uuid === undefined ? {} : { uuid }) };
      },
      read: (result) => fromWireUuid(result.uuid!) as Uuid<N>,
    };
  }

  /** Without `columns` all that are known, `_version` excepted. */
  select<N extends TableName<T>, C extends keyof RowOf<T, N> & string = keyof RowOf<T, N> & string>(
    table: N,
    where: Where<T, N>,
    columns?: readonly C[],
  ): TypedOperation<Pick<RowOf<T, N>, C>[]> {
    const codec = this.codec(table);
    const names = columns ?? codec.columns;
    const decode = codec.rowDecoder(names);
    const clauses = codec.encodeWhere(where as Clauses);
    return {
      toWire(server) {
        requireColumns(server, table, clauses);
        return { op: 'select', table, where: clauses, columns: server.readable(table, names) };
      },
      read: (result) => result.rows!.map((row) => decode(row)) as Pick<RowOf<T, N>, C>[],
    };
  }

  /** Gives the number of rows that matched. */
  update<N extends TableName<T>>(table: N, where: Where<T, N>, row: UpdateRow<T, N>): TypedOperation<number> {
    const codec = this.codec(table);
    const clauses = codec.encodeWhere(where as Clauses);
    const wireRow = codec.encodeUpdate(row);
    return {
      toWire(server) {
        requireColumns(server, table, clauses);
        server.require(table, Object.keys(wireRow));
        return { op: 'update', table, where: clauses, row: wireRow };
      },
      read: readCount,
    };
  }

  /** Gives the number of rows that matched. `insert` into a map leaves a key that is there as it is. */
  mutate<N extends TableName<T>>(
    table: N,
    where: Where<T, N>,
    mutations: readonly Mutation<UpdateRow<T, N>>[],
  ): TypedOperation<number> {
    const codec = this.codec(table);
    const clauses = codec.encodeWhere(where as Clauses);
    const wireMutations = codec.encodeMutations(mutations as Clauses);
    return {
      toWire(server) {
        requireColumns(server, table, clauses);
        requireColumns(server, table, wireMutations);
        return { op: 'mutate', table, where: clauses, mutations: wireMutations };
      },
      read: readCount,
    };
  }

  /** Gives the number of rows that matched. */
  delete<N extends TableName<T>>(table: N, where: Where<T, N>): TypedOperation<number> {
    const clauses = this.codec(table).encodeWhere(where as Clauses);
    return {
      toWire(server) {
        requireColumns(server, table, clauses);
        return { op: 'delete', table, where: clauses };
      },
      read: readCount,
    };
  }

  /**
   * Makes the transaction depend on what is there: the rows that match must be (or with `until: '!='` not be) exactly
   * `rows`, in the columns that these have. With `timeout` 0, the default, it is a guard that fails at once; see
   * TransactionError.guardFailed. Other values are milliseconds for which the server waits.
   */
  wait<N extends TableName<T>, C extends keyof InsertRow<T, N> & string>(
    table: N,
    where: Where<T, N>,
    rows: readonly Pick<Required<InsertRow<T, N>>, C>[],
    { until = '==', timeout = 0, columns }: { until?: '==' | '!='; timeout?: number; columns?: readonly C[] } = {},
  ): TypedOperation<void> {
    const codec = this.codec(table);
    const clauses = codec.encodeWhere(where as Clauses);
    const wireRows = rows.map((row) => codec.encodeRow(row));
    const names: readonly string[] = columns ?? Object.keys(rows[0] ?? { _uuid: undefined });
    return {
      toWire(server) {
        requireColumns(server, table, clauses);
        server.require(table, names);
        return { op: 'wait', table, where: clauses, columns: names, until, rows: wireRows, timeout };
      },
      read: readNothing,
    };
  }

  /** Leaves a note in the database's log. */
  comment(comment: string): TypedOperation<void> {
    return { toWire: () => ({ op: 'comment', comment }), read: readNothing };
  }

  /** Fails the transaction unless this connection holds the lock. */
  assert(lock: string): TypedOperation<void> {
    return { toWire: () => ({ op: 'assert', lock }), read: readNothing };
  }

  /** With `durable` the answer comes after the data is on the disk. */
  commit(durable: boolean): TypedOperation<void> {
    return { toWire: () => ({ op: 'commit', durable }), read: readNothing };
  }

  /** Fails the transaction. */
  abort(): TypedOperation<never> {
    return { toWire: () => ({ op: 'abort' }), read: readNothing as () => never };
  }

  protected codec(table: string): TableCodec {
    let codec = this.#codecs.get(table);
    if (codec === undefined) {
      codec = new TableCodec(this.#schema, table);
      this.#codecs.set(table, codec);
    }
    return codec;
  }
}

function requireColumns(
  server: ServerSchema,
  table: string,
  clauses: readonly (readonly [string, ...unknown[]])[],
): void {
  server.require(
    table,
    clauses.map(([column]) => column),
  );
}

function readCount(result: OperationResult): number {
  return result.count!;
}

function readNothing(): void {}
