import type { MonitorEvent, TableUpdates } from './updates.ts';

/** Rows in updates that may wait for a reader, however short the tables are. */
const LEAST_LIMIT = 1000;

interface Entry {
  readonly event: MonitorEvent;
  readonly rows: number;
}

/**
 * Events that wait for a slow reader. A snapshot costs as much as all rows of the tables, so the limit is as many
 * updates of rows as that: dropping fewer for it would make the server send more than it saves.
 */
export class Backlog {
  #entries: Entry[] = [];
  #next = 0;
  #waitingRows = 0;
  /** How many rows the tables have. */
  #tableRows = 0;
  #isOverrun = false;

  /** Returns false when there is too much: all is dropped, and what follows until the next snapshot. */
  add(event: MonitorEvent): boolean {
    const { touched, added } = countRows(event.updates);
    if (event.kind === 'snapshot') {
      this.#clear();
      this.#isOverrun = false;
      this.#tableRows = touched;
    } else if (this.#isOverrun) {
      return false;
    } else {
      this.#tableRows += added;
      this.#waitingRows += touched;
    }
    if (this.#waitingRows > Math.max(LEAST_LIMIT, this.#tableRows)) {
      this.#clear();
      this.#isOverrun = true;
      return false;
    }
    this.#entries.push({ event, rows: event.kind === 'snapshot' ? 0 : touched });
    return true;
  }

  take(): MonitorEvent | undefined {
    const entry = this.#entries[this.#next];
    if (entry === undefined) return undefined;
    this.#next++;
    this.#waitingRows -= entry.rows;
    // Moving what is left costs as much as was taken, and not more often.
    if (this.#next * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#next);
      this.#next = 0;
    }
    return entry.event;
  }

  #clear(): void {
    this.#entries = [];
    this.#next = 0;
    this.#waitingRows = 0;
  }
}

function countRows(updates: TableUpdates): { touched: number; added: number } {
  let touched = 0;
  let added = 0;
  for (const table of Object.values(updates)) {
    for (const update of Object.values(table)) {
      touched++;
      if ('delete' in update) added--;
      else if ('initial' in update || 'insert' in update) added++;
    }
  }
  return { touched, added };
}
