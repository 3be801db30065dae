import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const READY_WITHIN_MS = 60_000;
const GRACE_MS = 20_000;
/** A clone has no build of the packages, and not everything that starts a program was started so itself: tests are not. */
const FROM_SOURCES = ['--conditions=ovn-handover-source', '--no-warnings'];

/** A program of the lab in a process of its own; it says one line when it is ready, and ends on SIGTERM. */
export class StandIn {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;

  /**
   * Starts it and resolves when it is ready.
   * @param program TypeScript file
   * @param output where its stdout and stderr go
   * @throws Error when it ends before, with the end of what it said
   */
  static async start(name: string, program: URL, args: readonly string[], output: string): Promise<StandIn> {
    const standIn = new StandIn(name, program, args);
    await standIn.#ready(output);
    return standIn;
  }

  private constructor(name: string, program: URL, args: readonly string[]) {
    this.#name = name;
    // The kernel ends it with us, also when we are killed.
    const command = ['--pdeathsig', 'KILL', '--', process.execPath, ...FROM_SOURCES, fileURLToPath(program), ...args];
    this.#process = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#exit = once(this.#process, 'exit');
  }

  /** Its process id. */
  get pid(): number | undefined {
    // `setpriv` becomes the program.
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
    await this.#exit;
    clearTimeout(kill);
  }

  async #ready(output: string): Promise<void> {
    const log = createWriteStream(output);
    const { stdout, stderr } = this.#process;
    let said = '';
    stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2000);
    });
    stdout?.pipe(log, { end: false });
    stderr?.pipe(log, { end: false });
    const timeout = setTimeout(() => this.#process.kill('SIGKILL'), READY_WITHIN_MS);
    const ready = stdout && once(createInterface({ input: stdout }), 'line').then(() => true);
    const isReady = await Promise.race([ready, this.#exit.then(() => false)]);
    clearTimeout(timeout);
    if (!isReady)
      throw new Error(`${this.#name} did not become ready: ${said.trim() || 'it said nothing'} (${output})`);
  }
}
