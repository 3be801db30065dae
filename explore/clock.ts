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
  /** It comes whatever happens, and is nothing to wait for. */
  readonly isPeriodic: boolean;
  act(): void;
}

/** What is to happen, in the order of time. */
export class Agenda {
  /** Latest first. */
  readonly #entries: Entry[] = [];
  #periodic = 0;

  after(ms: number, act: () => void, isPeriodic = false): void {
    const entries = this.#entries;
    const entry = { at: now + ms, isPeriodic, act };
    if (isPeriodic) this.#periodic++;
    // Nearly everything happens soon: few entries make room for it.
    let index = entries.push(entry) - 1;
    for (; index > 0 && entries[index - 1]!.at <= entry.at; index--) entries[index] = entries[index - 1]!;
    entries[index] = entry;
  }

  /** Goes to the next entry and does it; `false` when none is left but what comes anyway. */
  step(): boolean {
    if (this.#entries.length === this.#periodic) return false;
    const entry = this.#entries.pop()!;
    if (entry.isPeriodic) this.#periodic--;
    now = entry.at;
    entry.act();
    return true;
  }
}
