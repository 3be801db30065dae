import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A program of somebody else's in a process of its own, which the kernel ends with us, also when we are killed. */
export class Background {
  /** Resolves with how the process ended, e.g. `exit code 0` or `SIGKILL`. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  /** @param output file that its stdout and stderr are appended to */
  constructor({ file, args, cwd, env }: Program, output: string) {
    const log = openSync(output, 'a');
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], {
      cwd,
      env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks the process to end, makes it end when it does not, and waits until it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.kill('SIGTERM');
    const kill = setTimeout(() => this.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(kill);
  }
}
