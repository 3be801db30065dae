import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than functions that start cold, with an event that was retried, take on a busy machine. */
export const PATIENCE_MS = 90_000;

/** Asks again until it is so. @throws Error that says what did not come */
export async function eventually(what: string, isSo: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(250)) {
    if (await isSo()) return;
  }
  throw new Error(`It did not come that ${what}.`);
}
