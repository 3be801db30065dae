import { setTimeout as sleep } from 'node:timers/promises';
import { type Conditioned, whyNotReady } from '../../cli/cluster/conditions.ts';
import { DeployError, output, say } from './tools.ts';

const LOOK_EVERY_MS = 2_000;

/** Waits for objects of Knative, and says meanwhile which are not Ready, and why. */
export async function awaitReady(kinds: readonly string[], namespace: string, withinMs: number): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  let said = '';
  for (;;) {
    const found = await output('kubectl', ['-n', namespace, 'get', kinds.join(','), '-o', 'json']);
    const waiting = notReadyAmong((JSON.parse(found) as { items: Conditioned[] }).items);
    if (waiting.length === 0) return;
    const line = `not Ready yet: ${waiting.join('; ')}`;
    if (line !== said) say(line);
    said = line;
    if (Date.now() > giveUpAt) {
      throw new DeployError(`not Ready after ${withinMs / 1_000} s, and no gate was applied: ${waiting.join('; ')}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

export function notReadyAmong(items: readonly Conditioned[]): string[] {
  return items.flatMap((item) => {
    const why = whyNotReady(item);
    return why === undefined ? [] : [`${item.kind} ${item.metadata.name} (${why})`];
  });
}
