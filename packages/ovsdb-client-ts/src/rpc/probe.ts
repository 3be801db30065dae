import { LONGEST_TIMER_MS } from './limit.ts';

export interface ProbeActions {
  /** Sends something that the peer must answer. */
  ask(): void;
  giveUp(): void;
}

/** Inactivity probe: after silence it asks, after as much silence again it gives up. Any byte received is life. */
export class Probe {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #giveUp: () => void;
  #asked = false;
  #isOverdue = false;
  #waits = 0;

  /** An interval of 0 never probes, nor does one beyond what timers take. */
  constructor(intervalMs: number, { ask, giveUp }: ProbeActions) {
    this.#giveUp = giveUp;
    if (intervalMs === 0 || intervalMs > LONGEST_TIMER_MS) return;
    this.#timer = setInterval(() => {
      if (!this.#asked) {
        this.#asked = true;
        ask();
      } else if (this.#waits === 0) {
        giveUp();
      } else {
        this.#isOverdue = true;
      }
    }, intervalMs).unref();
  }

  alive(): void {
    this.#asked = false;
    this.#isOverdue = false;
    this.#timer?.refresh();
  }

  /**
   * Until the end of the wait silence is no reason to give up: ovsdb-server does one thing after the other, and answers no
   * echo while it makes the contents of a long table. If there was nothing but silence it is given up then.
   */
  expectSilence(): Disposable {
    this.#waits++;
    return {
      [Symbol.dispose]: () => {
        this.#waits--;
        if (this.#waits === 0 && this.#isOverdue) this.#giveUp();
      },
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
