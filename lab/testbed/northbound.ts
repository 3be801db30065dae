import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from './daemon.ts';
import type { TestbedDescription } from './description.ts';

/** Kills the northbound database server; resolves when it is gone. What was committed is in its file. */
export async function killNorthbound({ directory }: TestbedDescription): Promise<void> {
  const pid = Number(await readFile(join(directory, 'central', 'nb.pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  while (isThere(pid)) await sleep(5);
}

/** Starts the northbound database server again; resolves when it serves. */
export async function startNorthbound({ directory, prefix, ovn }: TestbedDescription): Promise<void> {
  const folder = join(directory, 'central');
  const remote = `--remote=punix:${join(directory, 'nb.sock')}`;
  await startDaemon({ netns: `${prefix}-fabric`, ovn, program: 'ovsdb-server', folder, name: 'nb' }, [
    remote,
    join(folder, 'nb.db'),
  ]);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
