import { SchemaError } from '../errors.ts';
import type { MonitorCondition } from '../monitor/updates.ts';
import { type ColumnCodec, makeCodec } from '../schema/codec.ts';
import { makeLimitCheck } from '../schema/limits.ts';
import { type ColumnType, type DatabaseSchema, IMPLICIT_COLUMNS, type Shape, shapeOf } from '../schema/schema.ts';
import type { WireCondition, WireMutation, WireRow, WireValue } from '../wire/types.ts';
import { textOf } from './row-index.ts';

/** Rows as objects of TypeScript, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Translates rows, conditions and mutations of one table. */
export class TableCodec {
  readonly name: string;
  readonly #columns: DatabaseSchema['tables'][string]['columns'];
  readonly #indexes: readonly (readonly string[])[];
  /** Made when they are first needed: a table has many columns of which few are used. */
  readonly #codecs = new Map<string, ColumnCodec>();
  readonly #limits = new Map<string, (value: unknown) => void>();

  /** @throws SchemaError for a table that the schema does not have */
  constructor(schema: DatabaseSchema, name: string) {
    const table = schema.tables[name];
    if (table === undefined) throw new SchemaError(`The schema ${schema.name} ${schema.version} has no table ${name}`);
    this.name = name;
    this.#columns = { ...IMPLICIT_COLUMNS, ...table.columns };
    this.#indexes = table.indexes ?? [];
  }

  /** All columns but `_version`. */
  get columns(): string[] {
    return Object.keys(this.#columns).filter((column) => column !== '_version');
  }

  column(name: string): ColumnCodec {
    let codec = this.#codecs.get(name);
    if (codec === undefined) {
      codec = makeCodec(this.#typeOf(name));
      this.#codecs.set(name, codec);
    }
    return codec;
  }

  /** Whether the schema lets no two rows have the same values in these columns. */
  isIndex(columns: readonly string[]): boolean {
    return this.#indexes.some((index) => textOf(index) === textOf(columns));
  }

  /**
   * A reader of rows with these columns; one that the server did not send has its empty value. Monitors send the uuid
   * apart from the row.
   */
  rowDecoder(columns: readonly string[]): (wire: WireRow, id?: string) => Row {
    const codecs = columns.map((name) => this.column(name));
    // A copy of one object with all columns is much cheaper than one that grows.
    const template: Row = Object.fromEntries(columns.map((name) => [name, undefined]));
    return (wire, id) => {
      const row: Record<string, unknown> = { ...template };
      for (let i = 0; i < columns.length; i++) {
        const value = wire[columns[i]!];
        row[columns[i]!] = value === undefined ? codecs[i]!.empty : codecs[i]!.decode(value);
      }
      if (id !== undefined) row._uuid = id;
      return row;
    };
  }

  /** The row after the `modify` of an update2 or update3. */
  applyDiff(row: Row, diff: WireRow): Row {
    const changed: Record<string, unknown> = { ...row };
    for (const [name, value] of Object.entries(diff)) changed[name] = this.column(name).applyDiff(row[name], value);
    return changed;
  }

  /** @throws SchemaError naming the column, also for values outside of what its type allows */
  encodeRow(row: object): WireRow {
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, this.#encode(name, value, this.#limitOf(name))]),
    );
  }

  /** @throws SchemaError naming the column, also for an immutable one */
  encodeUpdate(row: object): WireRow {
    for (const name of Object.keys(row)) this.#checkMutable(name);
    return this.encodeRow(row);
  }

  encodeWhere(where: readonly (readonly [string, string, unknown])[]): WireCondition[] {
    return where.map(([name, test, value]) => [name, test as WireCondition[1], this.#encode(name, value)]);
  }

  encodeMonitorWhere(where: readonly (readonly [string, string, unknown] | boolean)[]): MonitorCondition[] {
    return where.map((clause) => (typeof clause === 'boolean' ? clause : this.encodeWhere([clause])[0]!));
  }

  encodeMutations(mutations: readonly (readonly [string, string, unknown])[]): WireMutation[] {
    return mutations.map(([name, mutator, value]) => {
      this.#checkMutable(name);
      return [name, mutator as WireMutation[1], this.#encodeOperand(name, mutator, value)];
    });
  }

  #encode(name: string, value: unknown, check?: (value: unknown) => void): WireValue {
    const codec = this.column(name);
    try {
      const wire = codec.encode(value);
      check?.(value);
      return wire;
    } catch (error) {
      throw new SchemaError(`Column ${name} of table ${this.name}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Arithmetic takes an element of the column's kind, deletion from a map also a set of keys. */
  #encodeOperand(name: string, mutator: string, value: unknown): WireValue {
    const { shape } = this.column(name);
    const isScalar = mutator !== 'insert' && mutator !== 'delete';
    if (isScalar && shape.kind === 'set') return makeCodec({ key: shape.key }).encode(value);
    if (mutator === 'delete' && shape.kind === 'map' && Array.isArray(value)) {
      return makeCodec({ key: shape.key, min: 0, max: 'unlimited' }).encode(value);
    }
    return this.#encode(name, value);
  }

  #checkMutable(name: string): void {
    if (this.#columns[name]?.mutable === false) {
      throw new SchemaError(`Column ${name} of table ${this.name} cannot be changed`);
    }
  }

  #limitOf(name: string): (value: unknown) => void {
    let limit = this.#limits.get(name);
    if (limit === undefined) {
      limit = makeLimitCheck(this.#typeOf(name));
      this.#limits.set(name, limit);
    }
    return limit;
  }

  #typeOf(name: string): ColumnType {
    if (!Object.hasOwn(this.#columns, name)) throw new SchemaError(`Table ${this.name} has no column ${name}`);
    return this.#columns[name]!.type;
  }
}

/** What a server's column must have in common with the one known here: not its limits, nor its allowed values. */
function sameShape(mine: Shape, theirs: Shape): boolean {
  if (mine.kind !== theirs.kind || mine.key.type !== theirs.key.type) return false;
  return mine.kind !== 'map' || theirs.kind !== 'map' || mine.value.type === theirs.value.type;
}

/**
 * Meets a server whose schema is older or newer than the one known here. What it has beyond is not asked for. Of a
 * column that it lacks, reading gives the empty value and everything else is rejected.
 */
export class ServerSchema {
  readonly schema: DatabaseSchema;
  readonly #mine: DatabaseSchema;
  /** Columns that were compared, by table: whether the server has them. */
  readonly #compared = new Map<string, Map<string, boolean>>();

  constructor(schema: DatabaseSchema, mine: DatabaseSchema) {
    this.schema = schema;
    this.#mine = mine;
  }

  hasTable(table: string): boolean {
    return Object.hasOwn(this.schema.tables, table);
  }

  /** Those of the columns that the server has. @throws SchemaError for a missing table, or a column of another type */
  readable(table: string, columns: readonly string[]): string[] {
    return columns.filter((column) => this.#has(table, column));
  }

  /** @throws SchemaError for a column that the server lacks or has with another type */
  require(table: string, columns: Iterable<string>): void {
    for (const column of columns) {
      if (!this.#has(table, column)) throw new SchemaError(`${this.#where(table)} has no column ${column}`);
    }
  }

  #has(table: string, column: string): boolean {
    const known = this.#compared.get(table)?.get(column);
    if (known !== undefined) return known;
    const has = this.#compare(table, column);
    this.#compared.set(table, (this.#compared.get(table) ?? new Map()).set(column, has));
    return has;
  }

  #compare(table: string, column: string): boolean {
    const columns = this.schema.tables[table]?.columns;
    if (columns === undefined) throw new SchemaError(`${this.#where(table)} does not exist`);
    const theirs = columns[column];
    if (theirs === undefined) return column in IMPLICIT_COLUMNS;
    const mine = this.#mine.tables[table]?.columns[column];
    if (mine !== undefined && !sameShape(shapeOf(mine.type), shapeOf(theirs.type))) {
      throw new SchemaError(`${this.#where(table)} has column ${column} with another type than ${this.#mine.version}`);
    }
    return true;
  }

  #where(table: string): string {
    return `Table ${table} of the server's ${this.schema.name} ${this.schema.version}`;
  }
}
