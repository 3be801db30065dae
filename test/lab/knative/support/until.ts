import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds; fails with its name when it does not within the time. */
export async function until(what: string, holds: () => boolean, withinMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`Waited ${withinMs} ms in vain until ${what}.`);
    await sleep(5);
  }
}
