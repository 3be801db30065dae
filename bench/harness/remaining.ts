/** How long a plan will still take, by how long its steps took up to now against what was expected of them. */
export class Remaining {
  readonly #expectedMs: readonly number[];
  readonly #startedAt = performance.now();
  #done = 0;

  constructor(expectedMs: readonly number[]) {
    this.#expectedMs = expectedMs;
  }

  oneDone(): void {
    this.#done += 1;
  }

  /** `step 3 of 12, about 8 min left` */
  inWords(): string {
    const expected = sum(this.#expectedMs.slice(0, this.#done));
    const pace = this.#done === 0 ? 1 : (performance.now() - this.#startedAt) / expected;
    const left = sum(this.#expectedMs.slice(this.#done)) * pace;
    return `step ${this.#done + 1} of ${this.#expectedMs.length}, about ${Math.ceil(left / 60_000)} min left`;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
