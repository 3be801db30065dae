/** One decision: what was chosen, and out of what (how many, or with which probability). */
export interface Decision {
  readonly of: number;
  readonly value: number;
}

/**
 * Where every decision of a schedule comes from: a seed, or decisions made before. 0 is always the dullest answer (no
 * fault, no delay, first in line), so a story is made shorter by turning decisions into 0.
 */
export class Choices {
  /** What was asked and what was chosen, one entry each: a schedule makes thousands of decisions. */
  readonly #asked: number[] = [];
  readonly #chosen: number[] = [];
  readonly #replay: readonly Decision[] | undefined;
  #state: number;

  constructor(from: { readonly seed: number } | { readonly replay: readonly Decision[] }) {
    this.#replay = 'replay' in from ? from.replay : undefined;
    this.#state = 'seed' in from ? from.seed >>> 0 : 0;
  }

  get made(): Decision[] {
    return this.#asked.map((of, index) => ({ of, value: this.#chosen[index]! }));
  }

  /** 0 ≤ result < n */
  below(n: number): number {
    return this.#record(n, this.#replay ? this.#next(n) : Math.floor(this.#random() * n));
  }

  chance(probability: number): boolean {
    const isSo = this.#replay ? this.#next(probability) : Number(this.#random() < probability);
    return this.#record(probability, isSo) === 1;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  #record(of: number, value: number): number {
    this.#asked.push(of);
    this.#chosen.push(value);
    return value;
  }

  /** In a schedule that has become another one a decision may meet a question that it was no answer to. */
  #next(of: number): number {
    const decision = this.#replay?.[this.#asked.length];
    return decision?.of === of ? decision.value : 0;
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
