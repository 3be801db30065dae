import { setTimeout as sleep } from 'node:timers/promises';
import { Background, type Program } from '../background.ts';

const AGAIN_AFTER_MS = 1_000;

/** A program that is started again whenever it ends, until it is stopped. */
export class KeptRunning {
  readonly #program: Program;
  readonly #log: string;
  #process: Background;
  #isStopped = false;

  /** @param log file that its output is appended to */
  constructor(program: Program, log: string) {
    this.#program = program;
    this.#log = log;
    this.#process = new Background(program, log);
    void this.#keep();
  }

  /** Ends it at once; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#process.kill('SIGKILL');
    await this.#process.ended;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#process.ended;
      if (this.#isStopped) return;
      await sleep(AGAIN_AFTER_MS);
      if (this.#isStopped) return;
      this.#process = new Background(this.#program, this.#log);
    }
  }
}
