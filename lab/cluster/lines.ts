import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A command that goes on for as long as it is wanted, line by line; the kernel ends it with us. */
export class Lines implements AsyncDisposable {
  /** Resolves when it has ended, by itself or when it is disposed of. */
  readonly ended: Promise<void>;
  readonly #child;

  constructor(command: readonly string[], onLine: (line: string, at: number) => void) {
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.ended = once(this.#child, 'exit').then(() => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => onLine(line, Date.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What nsenter started in another pid namespace does not end with it, but by the end of this pipe.
    this.#child.stdout.destroy();
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
