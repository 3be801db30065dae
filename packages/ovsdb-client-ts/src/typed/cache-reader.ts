import type { Row } from './table-codec.ts';

/** What changed since one reader last looked: the rows as they were then. */
export class CacheReader {
  #before = new Map<string, Map<string, Row | undefined>>();
  #wake = Promise.withResolvers<void>();
  #ended: { error: Error | undefined } | undefined;

  add(table: string, id: string, before: Row | undefined): void {
    const rows = this.#before.get(table);
    if (rows === undefined) this.#before.set(table, new Map([[id, before]]));
    else if (!rows.has(id)) rows.set(id, before);
  }

  wake(): void {
    if (this.#before.size > 0) this.#wake.resolve();
  }

  end(error: Error | undefined): void {
    this.#ended = { error };
    this.#wake.resolve();
  }

  async hasChanges(): Promise<boolean> {
    if (this.#before.size > 0) return true;
    if (this.#ended === undefined) await this.#wake.promise;
    this.#wake = Promise.withResolvers();
    if (this.#before.size > 0) return true;
    if (this.#ended?.error !== undefined) throw this.#ended.error;
    return this.#ended === undefined;
  }

  take(now: (table: string, id: string) => Row | undefined) {
    const all = this.#before;
    this.#before = new Map();
    return [...all].flatMap(([table, rows]) =>
      [...rows]
        .map(([uuid, before]) => ({ table, uuid, before, after: now(table, uuid) }))
        .filter(({ before, after }) => before !== after),
    );
  }
}
