import { ProtocolError } from '../errors.ts';
import { parseJson } from '../wire/json.ts';
import type { WireRow } from '../wire/types.ts';
import type { Row } from './table-codec.ts';

/** What the framer looks for as well: digits beyond a double, or an exponent. */
const MAYBE_EXTREME = /\d{16}|\+/;

/**
 * The rows of a table by uuid. They come as they were on the wire, parsed or as text, and are decoded when they are first
 * read.
 */
export class Rows implements ReadonlyMap<string, Row> {
  readonly #decode: (wire: WireRow, id: string) => Row;
  readonly #wire = new Map<string, WireRow | string>();
  readonly #rows = new Map<string, Row>();

  constructor(decode: (wire: WireRow, id: string) => Row) {
    this.#decode = decode;
  }

  get size(): number {
    return this.#wire.size + this.#rows.size;
  }

  has(id: string): boolean {
    return this.#rows.has(id) || this.#wire.has(id);
  }

  /** @throws ProtocolError when what the server sent is no JSON, or a value is not of its column's type */
  get(id: string): Row | undefined {
    const row = this.#rows.get(id);
    if (row !== undefined) return row;
    const wire = this.#wire.get(id);
    return wire === undefined ? undefined : this.set(id, this.#decode(parse(wire), id));
  }

  set(id: string, row: Row): Row {
    this.#wire.delete(id);
    this.#rows.set(id, row);
    return row;
  }

  setWire(id: string, wire: WireRow | string): void {
    this.#rows.delete(id);
    this.#wire.set(id, wire);
  }

  delete(id: string): void {
    this.#wire.delete(id);
    this.#rows.delete(id);
  }

  ids(): string[] {
    return [...this.#wire.keys(), ...this.#rows.keys()];
  }

  keys(): ReturnType<ReadonlyMap<string, Row>['keys']> {
    return this.#decoded().keys();
  }

  values(): ReturnType<ReadonlyMap<string, Row>['values']> {
    return this.#decoded().values();
  }

  entries(): ReturnType<ReadonlyMap<string, Row>['entries']> {
    return this.#decoded().entries();
  }

  forEach(callback: (row: Row, id: string, rows: ReadonlyMap<string, Row>) => void): void {
    for (const [id, row] of this.#decoded()) callback(row, id, this);
  }

  [Symbol.iterator](): ReturnType<ReadonlyMap<string, Row>['entries']> {
    return this.entries();
  }

  #decoded(): Map<string, Row> {
    for (const id of this.#wire.keys()) this.get(id);
    return this.#rows;
  }
}

function parse(wire: WireRow | string): WireRow {
  if (typeof wire !== 'string') return wire;
  try {
    return parseJson(wire, MAYBE_EXTREME.test(wire)) as WireRow;
  } catch (error) {
    throw new ProtocolError(`Got a row that is no JSON: ${(error as Error).message}`, { cause: error });
  }
}
