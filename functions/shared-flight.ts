/**
 * Lets calls of one key share their work. While one runs, those that come later wait for one more, which begins after
 * it: so every caller gets work that began after its call, and a burst of any size costs two.
 */
export class SharedFlight<Result> {
  readonly #flights = new Map<string, { readonly running: Promise<Result>; next: Promise<Result> | undefined }>();

  /** @returns the result, and whether this call is the one that did the work */
  async run(key: string, work: () => Promise<Result>): Promise<{ readonly result: Result; readonly own: boolean }> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return { result: await this.#start(key, work), own: true };
    if (flight.next !== undefined) return { result: await flight.next, own: false };
    flight.next = flight.running.then(
      () => this.#start(key, work),
      () => this.#start(key, work),
    );
    return { result: await flight.next, own: true };
  }

  #start(key: string, work: () => Promise<Result>): Promise<Result> {
    const flight = { running: work(), next: undefined };
    this.#flights.set(key, flight);
    const land = () => {
      if (this.#flights.get(key) === flight && flight.next === undefined) this.#flights.delete(key);
    };
    flight.running.then(land, land);
    return flight.running;
  }
}
