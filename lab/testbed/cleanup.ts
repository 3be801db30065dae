import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { letGo, requireOurs } from './holder.ts';
import { ignoreGone, namespacesOf } from './namespaces.ts';

/**
 * Ends every process in the testbed's namespaces and deletes these, and with them each interface. All that belongs to
 * a testbed lives in its namespaces, so nothing is left. May be called again and again, also over half a testbed.
 *
 * @throws HeldError when a testbed with another directory has these namespaces
 */
export async function cleanUp({ directory, prefix }: { directory: string; prefix: string }): Promise<void> {
  await requireOurs(prefix, directory);
  await Promise.all((await namespacesOf(prefix)).map(removeNamespace));
  await letGo(prefix);
  // The logs stay for whoever wants to know what happened; no file says any more that a testbed stands.
  const files = ['testbed.json', 'nb.sock', 'sb.sock'];
  await Promise.all(files.map((file) => rm(join(directory, file), { force: true })));
}

/** Ends every process in a namespace, and deletes it. */
export async function removeNamespace(netns: string): Promise<void> {
  for (let pids = await pidsIn(netns); pids.length > 0; pids = await pidsIn(netns)) {
    for (const pid of pids) kill(pid);
    await sleep(20);
  }
  await run('ip', ['netns', 'delete', netns]).catch(ignoreGone);
}

async function pidsIn(netns: string): Promise<number[]> {
  const listed = await run('ip', ['netns', 'pids', netns]).catch(ignoreGone);
  return (listed ?? '').split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
