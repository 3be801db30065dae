import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for what takes a while. */
export async function until(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not after ${withinMs} ms: ${condition}`);
    await sleep(10);
  }
}
