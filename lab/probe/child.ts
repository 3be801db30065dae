import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Starts a program in a network namespace, its output on a pipe; it ends with the testbed at the latest. */
export async function runningIn(
  netns: string,
  file: string,
  args: readonly string[],
): Promise<ChildProcessByStdio<null, Readable, null>> {
  const child = spawn('ip', ['netns', 'exec', netns, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  return child;
}
