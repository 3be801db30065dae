const FIRST_MS = 100;
const LONGEST_MS = 8000;

/** Milliseconds to wait after each round of attempts that failed: doubling, with jitter so that clients spread. */
export class Backoff {
  #nextMs = FIRST_MS;

  next(random: () => number = Math.random): number {
    const delay = this.#nextMs * (0.5 + random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, LONGEST_MS);
    return delay;
  }
}
