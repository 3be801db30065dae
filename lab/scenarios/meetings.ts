import type { Act } from './scenario.ts';
import type { Stage } from './stage.ts';

/** Lets what happens to all scenarios of an act happen when each of them is ready for it, or has ended. */
export class Meetings {
  readonly #act: Act;
  readonly #waiting = new Map<string, { count: number; held: PromiseWithResolvers<void>; stage: Stage }>();
  #present: number;

  constructor(act: Act) {
    this.#act = act;
    this.#present = act.scenarios.length;
  }

  /** Resolves when the meeting has been held. */
  async attend(meeting: string, stage: Stage): Promise<void> {
    const entry = this.#waiting.get(meeting) ?? { count: 0, held: Promise.withResolvers<void>(), stage };
    entry.count += 1;
    this.#waiting.set(meeting, entry);
    this.#holdThoseThatAreDue();
    await entry.held.promise;
  }

  /** A scenario has ended and comes to no meeting any more. */
  leave(): void {
    this.#present -= 1;
    this.#holdThoseThatAreDue();
  }

  #holdThoseThatAreDue(): void {
    for (const [meeting, { count, held, stage }] of this.#waiting) {
      if (count < this.#present) continue;
      this.#waiting.delete(meeting);
      const happen = this.#act.meetings?.[meeting];
      if (happen === undefined) held.reject(new Error(`The act "${this.#act.title}" has no meeting "${meeting}".`));
      else happen(stage).then(held.resolve, held.reject);
    }
  }
}
