import { LONGEST_TIMER_MS } from './limit.ts';

export interface ProbeActions {
  /** Sends something that the peer must answer. */
  ask(): void;
  giveUp(): void;
}

/** Inactivity probe: after silence it asks, after as much silence again it gives up. Any byte received is life. */
export class Probe {
  readonly #timer: NodeJS.Timeout | undefined;
  #asked = false;

  /** An interval of 0 never probes, nor does one beyond what timers take. */
  constructor(intervalMs: number, { ask, giveUp }: ProbeActions) {
    if (intervalMs === 0 || intervalMs > LONGEST_TIMER_MS) return;
    this.#timer = setInterval(() => {
      if (this.#asked) {
        giveUp();
      } else {
        this.#asked = true;
        ask();
      }
    }, intervalMs).unref();
  }

  alive(): void {
    this.#asked = false;
    this.#timer?.refresh();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
