/** The same for values of a column that are the same; sets and maps have no order. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).sort()}]`;
  if (value instanceof Map) return `{${[...value].map((pair) => pair.map(textOf).join(':')).sort()}}`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Rows by a key that is made of each; kept up to date by the cache that they are in. */
export class RowIndex<Key, Row> {
  readonly #keyOf: (row: Row) => Key | undefined;
  readonly #rows = new Map<Key, Set<Row>>();

  constructor(keyOf: (row: Row) => Key | undefined, rows: Iterable<Row>) {
    this.#keyOf = keyOf;
    for (const row of rows) this.#add(row);
  }

  /** The rows with that key, in no order. */
  get(key: Key): Row[] {
    return [...(this.#rows.get(key) ?? [])];
  }

  replace(before: Row | undefined, after: Row | undefined): void {
    if (before !== undefined) this.#remove(before);
    if (after !== undefined) this.#add(after);
  }

  #add(row: Row): void {
    const key = this.#keyOf(row);
    if (key === undefined) return;
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, new Set([row]));
    else rows.add(row);
  }

  #remove(row: Row): void {
    const key = this.#keyOf(row);
    if (key === undefined) return;
    const rows = this.#rows.get(key);
    rows?.delete(row);
    if (rows?.size === 0) this.#rows.delete(key);
  }
}
