import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hasEnded } from './command.ts';

/** What the starter says on the pipe before it closes it, when the testbed shall stay. */
export const DISMISSED = 'dismissed';

const PROGRAM = fileURLToPath(new URL('reap.ts', import.meta.url));

/**
 * Cleans a testbed up when the process that started it ends, whatever ends it. The reaper is a process of its own
 * session that holds the other end of a pipe from the starter: the kernel closes the pipe also after a SIGKILL.
 */
export class Reaper {
  readonly #process: ChildProcess;

  /** @param program what cleans up; by default all that a testbed is */
  constructor(testbed: { directory: string; prefix: string }, program = PROGRAM) {
    this.#process = spawn(process.execPath, [program, testbed.directory, testbed.prefix], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#process.unref();
    // The stream of a child's pipe is a socket, and would keep the starter alive.
    (this.#process.stdin as unknown as { unref(): void }).unref();
  }

  /** Cleans up now; resolves when nothing is left. */
  async reap(): Promise<void> {
    await this.#end('');
    if (this.#process.exitCode !== 0)
      throw new Error('The reaper could not clean the testbed up; its stderr says why.');
  }

  /** Lets the testbed stand after the starter's end. */
  async dismiss(): Promise<void> {
    await this.#end(DISMISSED);
  }

  async #end(lastWord: string): Promise<void> {
    if (hasEnded(this.#process)) return;
    const exit = once(this.#process, 'exit');
    this.#process.ref();
    this.#process.stdin?.end(lastWord);
    await exit;
  }
}
