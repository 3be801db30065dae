import { isDeepStrictEqual } from 'node:util';
import { ProtocolError, SchemaError } from '../errors.ts';
import type { RowTexts } from '../monitor/row-texts.ts';
import { Subscription, type SubscriptionSource } from '../monitor/subscription.ts';
import type { MonitorRequests, RowUpdate, TableUpdates } from '../monitor/updates.ts';
import { type CallOptions, Limit } from '../rpc/limit.ts';
import type { WireRow } from '../wire/types.ts';
import { CacheReader } from './cache-reader.ts';
import type { CacheCondition, CachedRow, CacheTables, RowChange } from './cache-types.ts';
import type { Clauses, KeyOf, TableName } from './operations.ts';
import { RowIndex, textOf } from './row-index.ts';
import type { Rows } from './rows.ts';
import type { Row, TableCodec } from './table-codec.ts';
import { ServerSchema } from './table-codec.ts';
import type { TypedSchema } from './types.ts';
import type { Uuid } from './uuid.ts';

export type CacheClauses = readonly (Clauses[number] | boolean)[];

/** Of a row whose text is not parsed yet, too. */
type Update = Omit<RowUpdate, 'initial'> & { readonly initial?: WireRow | string };

interface Table {
  readonly rows: Rows;
  readonly codec: TableCodec;
  readonly columns: readonly string[];
  readonly where: CacheClauses | undefined;
}

/**
 * A copy of tables that follows the server. Rows are decoded when first read, and never changed but replaced.
 *
 * @see [ovsdb-server(7), section 4.1.15](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * await using cache = nb.cache({ DNS: { columns: ['records'] } });
 * await cache.ready;
 * const [id] = await nb.transact([nb.insert('DNS', { records: { vm1: '10.0.0.1' } })]);
 * cache.tables.DNS.get(id)?.records.get('vm1'); // => '10.0.0.1'
 * ```
 */
export class Cache<T, S extends CacheTables<T>> implements AsyncIterable<RowChange<T, S>[]>, AsyncDisposable {
  /** By table, then by uuid. */
  readonly tables: { readonly [N in keyof S & string]: ReadonlyMap<Uuid<N>, CachedRow<T, S, N>> };
  /** Settles when the contents are there for the first time. @throws as Subscription.run */
  readonly ready: Promise<void>;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #readers = new Set<CacheReader>();
  readonly #indexes = new Map<string, RowIndex<unknown, Row>[]>();
  /** Of the schema's own indexes those that were asked for, by table and columns. */
  readonly #keys = new Map<string, RowIndex<string, Row>>();
  readonly #subscription: Subscription;
  readonly #running: Promise<void>;
  readonly #resolveReady: () => void;
  #isLive = false;
  #hasBeenLive = false;
  #ended: { error: Error | undefined } | undefined;

  constructor(source: SubscriptionSource, schema: TypedSchema<T>, tables: ReadonlyMap<string, Table>) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolveReady = resolve;
    this.#tables = tables;
    this.tables = Object.fromEntries([...tables].map(([name, { rows }]) => [name, rows])) as unknown as this['tables'];
    this.#subscription = new Subscription({
      ...source,
      requests: async (member, limit) => this.#makeRequests(new ServerSchema(await member.schema(limit), schema)),
      onUpdates: (updates, anew) => this.#apply(updates, anew),
      onContents: (tables) => this.#fill(tables),
      onLost: () => {
        this.#isLive = false;
      },
    });
    promise.catch(() => undefined);
    this.#running = this.#subscription.run().then(
      () => this.#end(undefined, reject),
      (error) => this.#end(error, reject),
    );
  }

  /** Whether updates are coming in. While false the contents are those of the moment when the server was lost. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /**
   * Follows the changes, in batches; the first batch has all rows that are there. A slow reader gets changes of the
   * same row as one. Ends when the cache is closed.
   * @throws as Subscription.run
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<RowChange<T, S>[], void, void> {
    const reader = this.#startReading();
    try {
      while (await reader.hasChanges()) {
        const changes = reader.take(this.#now);
        if (changes.length > 0) yield changes as RowChange<T, S>[];
      }
    } finally {
      this.#readers.delete(reader);
    }
  }

  /**
   * Replaces the condition of a table: rows come and go by it. Waits until the contents have come once.
   * @throws SchemaError when it does not go with the schema or the table is not held, RpcError when the server rejects
   * it; the one before holds on. ConnectError or OutcomeUnknownError when the limit comes first
   */
  async changeCondition<N extends keyof S & TableName<T>>(
    table: N,
    where: CacheCondition<T, N>,
    { signal, timeoutMs = 10_000 }: CallOptions = {},
  ): Promise<void> {
    const held = this.#tables.get(table);
    if (held === undefined) throw new SchemaError(`This cache does not hold table ${table}`);
    using limit = new Limit(timeoutMs, signal);
    await this.#subscription.changeCondition(table, held.codec.encodeMonitorWhere(where as CacheClauses), limit);
  }

  /**
   * Finds rows by what is in them without looking at all of them, for as long as the cache is held. A row whose key is
   * undefined is in no place of the index.
   *
   * @example
   * const portsOfPod = cache.index('Logical_Switch_Port', (port) => port.external_ids.get('pod'));
   * portsOfPod.get('default/vm-1');
   */
  index<N extends keyof S & string, Key>(
    table: N,
    keyOf: (row: CachedRow<T, S, N>) => Key | undefined,
  ): Pick<RowIndex<Key, CachedRow<T, S, N>>, 'get'> {
    const index = this.#addIndex(table, keyOf as (row: Row) => Key | undefined);
    return index as unknown as RowIndex<Key, CachedRow<T, S, N>>;
  }

  /**
   * The row that has these values in the columns of one of the table's indexes, as the schema has them: there is no
   * second one.
   * @throws SchemaError when the schema has no such index, or the cache does not hold its columns
   */
  find<N extends keyof S & TableName<T>>(table: N, key: KeyOf<T, N>): CachedRow<T, S, N> | undefined {
    const columns = Object.keys(key as object).sort();
    const valuesOf = (row: Row): string => textOf(columns.map((column) => `${column} ${textOf(row[column])}`));
    const name = `${table} ${columns}`;
    let index = this.#keys.get(name);
    if (index === undefined) {
      const held = this.#tables.get(table);
      if (held?.codec.isIndex(columns) !== true) throw new SchemaError(`Table ${table} has no index of ${columns}`);
      for (const column of columns) {
        if (!held.columns.includes(column)) throw new SchemaError(`This cache does not hold ${column} of ${table}`);
      }
      index = this.#addIndex(table, valuesOf);
      this.#keys.set(name, index);
    }
    return index.get(valuesOf(key as Row))[0] as CachedRow<T, S, N> | undefined;
  }

  /**
   * Waits for a row that is as wanted, and gives the first that is; a row that is there already counts. Without a
   * time-out it waits for ever.
   * @throws Error when the limit comes first or the cache ends
   */
  async waitFor<N extends keyof S & string, R extends CachedRow<T, S, N>>(
    table: N,
    isWanted: (row: CachedRow<T, S, N>) => row is R,
    options?: CallOptions,
  ): Promise<R>;
  async waitFor<N extends keyof S & string>(
    table: N,
    isWanted: (row: CachedRow<T, S, N>) => boolean,
    options?: CallOptions,
  ): Promise<CachedRow<T, S, N>>;
  async waitFor<N extends keyof S & string>(
    table: N,
    isWanted: (row: CachedRow<T, S, N>) => boolean,
    { signal, timeoutMs = Number.POSITIVE_INFINITY }: CallOptions = {},
  ): Promise<CachedRow<T, S, N>> {
    using limit = new Limit(timeoutMs, signal);
    const reader = this.#startReading();
    limit.onReached((reason) => reader.end(new Error(`no such row of ${table}: ${reason.message}`, { cause: reason })));
    try {
      while (await reader.hasChanges()) {
        const rows = reader.take(this.#now).filter((change) => change.table === table && change.after !== undefined);
        const found = rows.find(({ after }) => isWanted(after as CachedRow<T, S, N>));
        if (found !== undefined) return found.after as CachedRow<T, S, N>;
      }
      throw new Error(`no such row of ${table}: the cache was closed`);
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** Ends it, and the loops of its readers. What it holds stays as it is. */
  async close(): Promise<void> {
    this.#subscription.close();
    await this.#running;
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #now = (table: string, id: string): Row | undefined => this.#tables.get(table)!.rows.get(id);

  #addIndex<Key>(table: string, keyOf: (row: Row) => Key | undefined): RowIndex<Key, Row> {
    const index = new RowIndex(keyOf, this.#tables.get(table)!.rows.values());
    this.#indexes.set(table, [...(this.#indexes.get(table) ?? []), index]);
    return index;
  }

  /** A reader to whom all rows that are there are new. */
  #startReading(): CacheReader {
    const reader = new CacheReader();
    for (const [name, { rows }] of this.#tables) for (const id of rows.ids()) reader.add(name, id, undefined);
    if (this.#ended !== undefined) reader.end(this.#ended.error);
    this.#readers.add(reader);
    return reader;
  }

  #end(error: Error | undefined, reject: (error: Error) => void): void {
    this.#isLive = false;
    this.#ended = { error };
    reject(error ?? new Error('the cache was closed'));
    for (const reader of this.#readers) reader.end(error);
  }

  /** A table that goes while the cache is held, by an upgrade, is empty until it comes back. */
  #makeRequests(server: ServerSchema): MonitorRequests {
    const tables = [...this.#tables].filter(([name]) => !this.#hasBeenLive || server.hasTable(name));
    const requests = tables.map(([name, { columns, where, codec }]) => {
      const wireWhere = where && codec.encodeMonitorWhere(where);
      const clauses = (wireWhere ?? []).filter((clause) => typeof clause !== 'boolean');
      server.require(
        name,
        clauses.map(([column]) => column),
      );
      // The uuid comes with every row and cannot be asked for.
      const wanted = columns.filter((column) => column !== '_uuid');
      return [name, { columns: server.readable(name, wanted), ...(wireWhere && { where: wireWhere }) }] as const;
    });
    return Object.fromEntries(requests);
  }

  #apply(updates: TableUpdates, anew: boolean): void {
    for (const [name, table] of this.#tables) {
      const rows = updates[name] ?? {};
      if (anew) {
        for (const id of table.rows.ids()) if (!(id in rows)) this.#change(name, table, id, { delete: null });
      }
      for (const id in rows) this.#change(name, table, id, rows[id]!);
    }
    this.#goLive();
  }

  /** As `#apply` with contents anew, of which each row is parsed when it is first read. */
  #fill(tables: RowTexts): void {
    for (const [name, table] of this.#tables) {
      const texts = tables.get(name);
      for (const id of table.rows.ids()) if (!texts?.has(id)) this.#change(name, table, id, { delete: null });
      for (const [id, initial] of texts ?? []) this.#change(name, table, id, { initial });
    }
    this.#goLive();
  }

  #goLive(): void {
    this.#isLive = true;
    this.#hasBeenLive = true;
    this.#resolveReady();
    for (const reader of this.#readers) reader.wake();
  }

  #change(name: string, table: Table, id: string, update: Update): void {
    const indexes = this.#indexes.get(name);
    // Without an index a row need not be decoded here.
    const before = indexes && table.rows.get(id);
    this.#changeRow(name, table, id, update);
    for (const index of indexes ?? []) index.replace(before, table.rows.get(id));
  }

  #changeRow(name: string, { rows, codec }: Table, id: string, update: Update): void {
    const isNew = !rows.has(id);
    if (this.#readers.size > 0) {
      const before = rows.get(id);
      for (const reader of this.#readers) reader.add(name, id, before);
    }
    if ('delete' in update) {
      rows.delete(id);
    } else if (update.modify === undefined) {
      const wire = (update.initial ?? update.insert ?? update.replace)!;
      if (isNew) rows.setWire(id, wire);
      else replace(rows, id, wire);
    } else {
      if (isNew) throw new ProtocolError(`Got a change of a row of ${name} that was never sent: ${id}`);
      rows.set(id, codec.applyDiff(rows.get(id)!, update.modify));
    }
  }
}

/** A row that is as it was stays the same object, so that readers do not take it for a change. */
function replace(rows: Rows, id: string, wire: WireRow | string): void {
  const old = rows.get(id)!;
  rows.setWire(id, wire);
  if (isDeepStrictEqual(rows.get(id), old)) rows.set(id, old);
}
