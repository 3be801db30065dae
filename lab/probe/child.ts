import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { AHEAD_OF_THE_CONTROL_PLANE } from '../testbed/command.ts';

/** Starts a program in a network namespace, its output on a pipe; it ends with the testbed at the latest. */
export async function runningIn(
  netns: string,
  file: string,
  args: readonly string[],
): Promise<ChildProcessByStdio<null, Readable, null>> {
  const command = ['nice', ...AHEAD_OF_THE_CONTROL_PLANE, file, ...args];
  const child = spawn('ip', ['netns', 'exec', netns, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  return child;
}
