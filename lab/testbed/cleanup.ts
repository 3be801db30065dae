import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';

/** Names of the network namespaces of the testbed with this prefix. */
export async function namespacesOf(prefix: string): Promise<string[]> {
  const listed = await run('ip', ['netns', 'list']);
  const names = listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  return names.filter((name) => name.startsWith(`${prefix}-`));
}

/**
 * Ends every process in the testbed's namespaces and deletes these, and with them each interface. All that belongs to
 * a testbed lives in its namespaces, so nothing is left. May be called again and again, also over half a testbed.
 */
export async function cleanUp({ directory, prefix }: { directory: string; prefix: string }): Promise<void> {
  await Promise.all((await namespacesOf(prefix)).map(removeNamespace));
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

function ignoreGone(error: Error): undefined {
  if (!/No such file or directory/.test(error.message)) throw error;
}
