/**
 * Where every decision of a schedule comes from: a seed, or decisions made before. 0 is always the dullest answer (no
 * fault, no delay, first in line), so a story is made shorter by turning decisions into 0.
 */
export class Choices {
  readonly made: number[] = [];
  readonly #replay: readonly number[] | undefined;
  #state: number;

  constructor(from: { readonly seed: number } | { readonly replay: readonly number[] }) {
    this.#replay = 'replay' in from ? from.replay : undefined;
    this.#state = 'seed' in from ? from.seed >>> 0 : 0;
  }

  /** 0 ≤ result < n */
  below(n: number): number {
    return this.#record(this.#replay ? Math.min(this.#next(), n - 1) : Math.floor(this.#random() * n));
  }

  chance(probability: number): boolean {
    return this.#record(this.#replay ? Math.min(this.#next(), 1) : Number(this.#random() < probability)) === 1;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  #record(value: number): number {
    this.made.push(value);
    return value;
  }

  #next(): number {
    return this.#replay?.[this.made.length] ?? 0;
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
