import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lab/free-port.ts';

const ROOT = new URL('../', import.meta.url);
const DIST: Command = [process.execPath, 'dist/index.mjs'];

type Command = readonly [file: string, ...args: string[]];

/** Bundles the functions, as `npm run build` does. */
export function build(): void {
  const args = ['--conditions=ovn-handover-source', 'scripts/build.ts'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env: environment({}) });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A built function in a process of its own, as its image runs it. */
export class FunctionProcess implements AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  #stderr = '';
  #stdout = '';

  private constructor(port: number, settings: Record<string, string>, [file, ...args]: Command = DIST) {
    this.url = `http://127.0.0.1:${port}`;
    this.child = spawn(file, args, {
      cwd: ROOT,
      env: environment({ LOG_LEVEL: 'fatal', ...settings, FUNC_PORT: String(port) }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.#stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk;
    });
  }

  /** Starts one that is expected to serve, by what was built or by another command. */
  static async start(settings: Record<string, string>, command?: Command): Promise<FunctionProcess> {
    const started = new FunctionProcess(await freePort(), settings, command);
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20)) {
      if (started.child.exitCode !== null) throw new Error(`the function ended: ${started.#stderr}`);
      const ready = await fetch(`${started.url}/health/readiness`).catch(() => undefined);
      if (ready?.ok) return started;
    }
    await started[Symbol.asyncDispose]();
    throw new Error('the function was not ready within 20 s');
  }

  /** What it has written there so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The lines of its log so far. */
  get log(): Record<string, unknown>[] {
    const lines = this.#stdout.split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }

  /** Runs one that is expected to end by itself. */
  static async end(settings: Record<string, string>): Promise<{ status: number | null; stderr: string }> {
    const started = new FunctionProcess(await freePort(), settings);
    const timer = setTimeout(() => started.child.kill('SIGKILL'), 20_000);
    const [status] = await once(started.child, 'close');
    clearTimeout(timer);
    return { status, stderr: started.#stderr };
  }

  async post(body: string | Uint8Array, headers: Record<string, string>): Promise<Answer> {
    const response = await fetch(this.url, { method: 'POST', body, headers });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** Delivers an object as an ApiServerSource does, in binary mode. */
  send(data: unknown, attributes: Record<string, string> = {}): Promise<Answer> {
    return this.post(JSON.stringify(data), { ...HEADERS, ...attributes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}

export const HEADERS = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': 'f3a1',
  'ce-source': 'https://10.0.0.1:443',
  'ce-type': 'dev.knative.apiserver.resource.update',
};

/** A function's environment has nothing of the test's but where programs are. */
function environment(settings: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, ...settings };
}
