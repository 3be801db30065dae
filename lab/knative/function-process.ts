import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 60_000;
const PROBE_EVERY_MS = 20;
/** Kubernetes' own terminationGracePeriodSeconds. */
const GRACE_MS = 30_000;

export interface FunctionCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A running function: one process, one port. */
export class FunctionProcess {
  readonly url: string;
  /** Resolves with how the process ended, e.g. `exit code 0` or `SIGKILL`. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  /** @param output - File that its stdout and stderr are appended to. */
  static async start(command: FunctionCommand, output: string): Promise<FunctionProcess> {
    return new FunctionProcess(command, output, await freePort());
  }

  private constructor({ file, args, cwd, env }: FunctionCommand, output: string, port: number) {
    const log = openSync(output, 'a');
    // The kernel ends the function with us, also when we are killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env, FUNC_PORT: String(port) },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.url = `http://127.0.0.1:${port}`;
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  /**
   * Waits until the function can take requests.
   *
   * @param path - Of its readiness probe.
   * @throws Error when it ends before that, or takes longer than a minute.
   */
  async ready(path: string): Promise<void> {
    let end: string | undefined;
    void this.ended.then((how) => {
      end = how;
    });
    const giveUpAt = performance.now() + READY_WITHIN_MS;
    while (performance.now() < giveUpAt) {
      if (end !== undefined) throw new Error(`the function ended before it was ready: ${end}`);
      const probe = fetch(this.url + path, { signal: AbortSignal.timeout(1_000) });
      const status = await probe.then(
        async (response) => {
          await response.body?.cancel();
          return response.status;
        },
        () => undefined,
      );
      if (status === 200) return;
      await sleep(PROBE_EVERY_MS);
    }
    throw new Error(`the function was not ready within ${READY_WITHIN_MS / 1000} s`);
  }

  /** Asks the process to end, makes it end when it does not, and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.ended;
    clearTimeout(kill);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
