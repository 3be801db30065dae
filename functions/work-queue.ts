interface Flight<Result> extends PromiseWithResolvers<Result> {
  readonly work: () => Promise<Result>;
}

/**
 * Lets calls of one key share their work, and bounds how much is done at once. A call gets work that begins after it: so all
 * that come while one runs, or waits for its turn, share the next, and a burst of any size costs two.
 */
export class SharedFlight<Result> {
  readonly #most: number;
  readonly #running = new Set<string>();
  /** Has not begun, in the order in which it was asked for. */
  readonly #waiting = new Map<string, Flight<Result>>();

  /** @param most keys that are worked on at once; the others wait */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** @returns the result, and whether this call is the one that did the work */
  async run(key: string, work: () => Promise<Result>): Promise<{ readonly result: Result; readonly own: boolean }> {
    const shared = this.#waiting.get(key);
    if (shared !== undefined) return { result: await shared.promise, own: false };
    const flight = { ...Promise.withResolvers<Result>(), work };
    this.#waiting.set(key, flight);
    this.#depart();
    return { result: await flight.promise, own: true };
  }

  #depart(): void {
    for (const [key, flight] of this.#waiting) {
      if (this.#running.size >= this.#most) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      const land = () => {
        this.#running.delete(key);
        this.#depart();
      };
      const landing = flight.work();
      landing.then(flight.resolve, flight.reject);
      landing.then(land, land);
    }
  }
}
