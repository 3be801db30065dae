const MAX_ENTRIES = 10_000;

/** Values by name, of which the oldest goes when there are too many. */
export class BoundedMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #max: number;

  constructor(max = MAX_ENTRIES) {
    this.#max = max;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  set(name: string, value: Value): void {
    this.#values.delete(name);
    const oldest = this.#values.keys().next().value;
    if (this.#values.size >= this.#max && oldest !== undefined) this.#values.delete(oldest);
    this.#values.set(name, value);
  }
}
