import { setTimeout as sleep } from 'node:timers/promises';
import { Background, type Program } from '../background.ts';
import { freePort } from '../free-port.ts';

const READY_WITHIN_MS = 60_000;
const PROBE_EVERY_MS = 20;
/** Kubernetes' own terminationGracePeriodSeconds. */
const GRACE_MS = 30_000;

export type FunctionCommand = Program & { readonly env: Readonly<Record<string, string>> };

/** A running function: one process, one port. */
export class FunctionProcess {
  readonly url: string;
  /** Resolves with how the process ended, e.g. `exit code 0` or `SIGKILL`. */
  readonly ended: Promise<string>;
  readonly #process: Background;

  /** @param output - File that its stdout and stderr are appended to. */
  static async start(command: FunctionCommand, output: string): Promise<FunctionProcess> {
    return new FunctionProcess(command, output, await freePort());
  }

  private constructor(command: FunctionCommand, output: string, port: number) {
    const env = { PATH: process.env.PATH, ...command.env, FUNC_PORT: String(port) };
    this.#process = new Background({ ...command, env }, output);
    this.url = `http://127.0.0.1:${port}`;
    this.ended = this.#process.ended;
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
    await this.#process.stop(GRACE_MS);
  }
}
