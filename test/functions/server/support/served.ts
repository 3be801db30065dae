import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../../lab/free-port.ts';

const SERVERS = {
  ours: fileURLToPath(new URL('serve-module.ts', import.meta.url)),
  "func's": createRequire(import.meta.url).resolve('faas-js-runtime/bin/cli.js'),
};

/** A function's module in a process of its own, which our server serves or func's. */
export class Served implements AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has written to stdout. */
  output = '';

  private constructor(port: number, args: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.child = spawn(process.execPath, ['--conditions=ovn-handover-source', '--no-warnings', ...args], {
      env: { PATH: process.env.PATH, FUNC_PORT: `${port}`, FUNC_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
  }

  static async start(server: keyof typeof SERVERS, module: string): Promise<Served> {
    const served = new Served(await freePort(), [SERVERS[server], module]);
    for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; await sleep(20)) {
      if (served.child.exitCode !== null) break;
      if ((await fetch(`${served.url}/health/readiness`).catch(() => undefined))?.ok) return served;
    }
    await served[Symbol.asyncDispose]();
    throw new Error(`${server} did not serve ${module}: ${served.output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}
