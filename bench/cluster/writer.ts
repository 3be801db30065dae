import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ClusterDescription, fabricOf } from '../../lab/cluster/description.ts';

const PROGRAM = fileURLToPath(new URL('write-objects.ts', import.meta.url));

/** When an object was asked to be created, and when the API server said that it was, ms since the epoch. */
export interface Written {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly name: string;
  readonly uid: string;
}

/** Creates objects at once, with nothing to be started first. */
export class Writer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  static async start({ testbed, kubeconfig }: ClusterDescription): Promise<Writer> {
    const node = [process.execPath, '--conditions=ovn-handover-source', '--no-warnings', PROGRAM, kubeconfig];
    const writer = new Writer(['ip', 'netns', 'exec', fabricOf(testbed), ...node]);
    await writer.#line();
    return writer;
  }

  private constructor(command: readonly string[]) {
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! });
  }

  async create(object: object): Promise<Written> {
    const answer = this.#line();
    this.#child.stdin!.write(`${JSON.stringify(object)}\n`);
    return JSON.parse(await answer) as Written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await exit;
  }

  async #line(): Promise<string> {
    const ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the process that writes objects has ended with ${code}.`);
    });
    const [line] = await Promise.race([once(this.#lines, 'line'), ended]);
    return line;
  }
}
