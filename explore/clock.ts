/** Time as the code under exploration sees it, in ms since the epoch. */
export const START = Date.UTC(2026, 0, 1);

let now = START;
const RealDate = Date;

/** From here on `Date` tells the time of the schedule that runs in this thread. */
export function installClock(): void {
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [string | number | Date]) {
      if (given.length === 0) super(now);
      else super(given[0]);
    }
    static override now(): number {
      return now;
    }
  } as DateConstructor;
}

export function setClock(time: number): void {
  now = time;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  act(): void;
}

/** What is to happen, in the order of time. */
export class Agenda {
  #entries: Entry[] = [];
  #orders = 0;

  get size(): number {
    return this.#entries.length;
  }

  after(ms: number, act: () => void): void {
    const entry = { at: now + ms, order: this.#orders++, act };
    // Nearly everything happens soon, so its place is found from the front; the list is kept latest first.
    let index = this.#entries.length;
    while (index > 0 && this.#entries[index - 1]!.at <= entry.at) index--;
    this.#entries.splice(index, 0, entry);
  }

  /** Goes to the next entry and does it; `false` when there is none. */
  step(): boolean {
    const entry = this.#entries.pop();
    if (entry === undefined) return false;
    now = entry.at;
    entry.act();
    return true;
  }
}
