import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 500;

/**
 * Looks until it is so.
 *
 * @param look resolves to true, or to what is seen instead, in words; when it rejects, its error is what is seen
 * @throws Error with what was seen last when it is not so in time
 */
export async function eventually(what: string, withinMs: number, look: () => Promise<true | string>): Promise<void> {
  for (const giveUpAt = Date.now() + withinMs; ; await sleep(LOOK_EVERY_MS)) {
    const seen = await look().catch((error: Error) => error.message);
    if (seen === true) return;
    if (Date.now() > giveUpAt) throw new Error(`Not within ${withinMs / 1000} s: ${what}. Seen last: ${seen}`);
  }
}
