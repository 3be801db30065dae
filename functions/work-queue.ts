interface Work<Result> extends PromiseWithResolvers<Result> {
  readonly work: () => Promise<Result>;
}

/**
 * Lets calls of one key share their work, and bounds how much is done at once. A call gets work that begins after it: so all
 * that come while one runs, or waits for its turn, share the next, and a burst of any size costs two.
 */
export class WorkQueue<Result> {
  readonly #maxConcurrent: number;
  readonly #running = new Set<string>();
  /** Has not begun, in the order in which it was asked for. */
  readonly #waiting = new Map<string, Work<Result>>();

  /** @param maxConcurrent keys that are worked on at once; the others wait */
  constructor(maxConcurrent = Number.POSITIVE_INFINITY) {
    this.#maxConcurrent = maxConcurrent;
  }

  /** @returns the result, and whether this call is the one that did the work */
  async run(key: string, work: () => Promise<Result>): Promise<{ readonly result: Result; readonly own: boolean }> {
    const shared = this.#waiting.get(key);
    if (shared !== undefined) return { result: await shared.promise, own: false };
    const own = { ...Promise.withResolvers<Result>(), work };
    this.#waiting.set(key, own);
    this.#startNext();
    return { result: await own.promise, own: true };
  }

  #startNext(): void {
    for (const [key, next] of this.#waiting) {
      if (this.#running.size >= this.#maxConcurrent) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      const finish = () => {
        this.#running.delete(key);
        this.#startNext();
      };
      const running = next.work();
      running.then(next.resolve, next.reject);
      running.then(finish, finish);
    }
  }
}
