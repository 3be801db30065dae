const MOST_REMEMBERED = 10_000;

/** Values by name, of which the oldest is forgotten when there are too many. */
export class Memory<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = MOST_REMEMBERED) {
    this.#most = most;
  }

  recall(name: string): Value | undefined {
    return this.#values.get(name);
  }

  remember(name: string, value: Value): void {
    this.#values.delete(name);
    const oldest = this.#values.keys().next().value;
    if (this.#values.size >= this.#most && oldest !== undefined) this.#values.delete(oldest);
    this.#values.set(name, value);
  }
}
