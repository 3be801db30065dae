import { execFile, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** `deploy` or `release`. */
const PROGRAM = basename(process.argv[1] ?? '', '.ts');

/** Something that whoever deploys has to put right; its message is all they need. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}

/** Runs a tool for the reader to watch, in a folder that it may write to: func does. */
export async function run(tool: string, args: readonly string[], cwd: string): Promise<void> {
  say([tool === process.execPath ? 'node' : tool, ...args].join(' '));
  const child = spawn(tool, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status, error] = await new Promise<[number | null, Error?]>((done) => {
    child.once('error', (error) => done([null, error]));
    child.once('exit', (code) => done([code]));
  });
  if (status === 0) return;
  throw new DeployError(
    `${tool} ${args[0]} failed (${error?.message ?? `status ${status}`}), see above; nothing after it was done`,
  );
}

/**
 * Runs a tool to its end and gives what it wrote to stdout.
 * @param input is given to its stdin
 */
export async function output(tool: string, args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)(tool, args, { maxBuffer: 64 * 1024 * 1024 });
  // A tool that ends without reading has its say by its status.
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Of what a tool said when it failed, the line that tells why. */
export function lastLine(error: Error & { stderr?: string }): string {
  return (error.stderr || error.message).trim().split('\n').at(-1) ?? '';
}

export function say(line: string): void {
  console.log(`${PROGRAM}: ${line}`);
}
