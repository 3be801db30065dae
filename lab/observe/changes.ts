import { EventEmitter, on } from 'node:events';
import { isDeepStrictEqual } from 'node:util';

/** Something that was seen at a moment, ms since the epoch. */
export type Seen<T> = T & { readonly at: number };

/** What was seen of one thing over time: its first state, then each state that differed from the one before. */
export class Changes<T extends object> {
  readonly #seen: Seen<T>[] = [];
  readonly #emitter = new EventEmitter<{ change: [Seen<T>] }>();

  get list(): readonly Seen<T>[] {
    return this.#seen;
  }

  /** The present state. */
  get last(): Seen<T> | undefined {
    return this.#seen.at(-1);
  }

  add(state: T, at = Date.now()): void {
    const { at: _, ...before } = this.last ?? { at: 0 };
    if (this.last && isDeepStrictEqual(before, state)) return;
    const seen = { ...state, at };
    this.#seen.push(seen);
    this.#emitter.emit('change', seen);
  }

  /** Calls `listener` for each state from now on. */
  onChange(listener: (seen: Seen<T>) => void): void {
    this.#emitter.on('change', listener);
  }

  /**
   * The first state, the present one included, that satisfies `condition`.
   *
   * @throws Error with the last state when none has come within `timeoutMs`.
   */
  async until(condition: (state: Seen<T>) => boolean, { timeoutMs }: { timeoutMs: number }): Promise<Seen<T>> {
    if (this.last && condition(this.last)) return this.last;
    try {
      for await (const [seen] of on(this.#emitter, 'change', { signal: AbortSignal.timeout(timeoutMs) })) {
        if (condition(seen)) return seen;
      }
    } catch (cause) {
      throw new Error(`Not seen within ${timeoutMs} ms; the last state is ${JSON.stringify(this.last)}.`, { cause });
    }
    throw new Error('unreachable: the events end only by the time-out');
  }
}
