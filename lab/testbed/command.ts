import { type ChildProcess, execFile } from 'node:child_process';

/** A command of the machine ended with an error; the message holds the command and what it said. */
class CommandError extends Error {
  constructor(command: readonly string[], said: string, cause: unknown) {
    super(`'${command.join(' ')}' failed: ${said.trim() || String(cause)}`, { cause });
    this.name = 'CommandError';
  }
}

/**
 * Runs a command to its end and gives what it wrote to stdout, without the last newline.
 *
 * @throws CommandError when it cannot be started, ends with a code other than 0, or takes more than 30 s.
 */
export async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 };
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error) reject(new CommandError([file, ...args], stderr, error));
      else resolve(stdout.replace(/\n$/, ''));
    });
  });
}

/** Like {@link run}, in a network namespace. */
export async function runIn(
  netns: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  return run('ip', ['netns', 'exec', netns, file, ...args], env);
}

/** Whether a process has ended, by itself or by a signal. */
export function hasEnded(process: ChildProcess): boolean {
  return process.exitCode !== null || process.signalCode !== null;
}

/**
 * Arguments of `nice` for all that a node or the client runs. In a cluster they have cores of their own; here they share
 * them with the control plane, whose work must not look like an outage of the network.
 */
export const AHEAD_OF_THE_CONTROL_PLANE = ['-n', '-10'] as const;
