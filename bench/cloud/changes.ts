const PATIENCE_MS = 300_000;

/** The newest value of each name, and those that wait for one. */
export class Changes<Value> {
  readonly #values = new Map<string, Value>();
  readonly #waiting = new Map<string, () => void>();

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
    this.#waiting.get(name)?.();
  }

  forget(name: string): void {
    this.#values.delete(name);
  }

  /** @returns when the value was as wanted, ms since the epoch */
  async until(name: string, wanted: (value: Value) => boolean): Promise<number> {
    const done = Promise.withResolvers<void>();
    const timeout = setTimeout(() => {
      done.reject(new Error(`${name} is still ${this.#values.get(name)} after ${PATIENCE_MS / 1000} s`));
    }, PATIENCE_MS);
    timeout.unref();
    const check = () => {
      const value = this.#values.get(name);
      if (value !== undefined && wanted(value)) done.resolve();
    };
    this.#waiting.set(name, check);
    check();
    try {
      await done.promise;
      return Date.now();
    } finally {
      this.#waiting.delete(name);
      clearTimeout(timeout);
    }
  }
}
