import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../../lab/free-port.ts';

const RUNTIME = createRequire(import.meta.url).resolve('faas-js-runtime/bin/cli.js');

export interface FunctionProcess {
  readonly url: string;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a function module under the real faas-js-runtime and waits until it is ready. */
export async function startFunction(module: string): Promise<FunctionProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--conditions=ovn-handover-source', '--no-warnings', RUNTIME, module], {
    env: { ...process.env, NODE_OPTIONS: '', FUNC_PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}/`;
  try {
    await ready(child, url);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { url, stop: () => stop(child) };
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null) throw new Error(`The function ended with code ${child.exitCode} before it was ready.`);
    const status = await fetch(`${url}health/readiness`).then(
      (response) => response.status,
      () => undefined,
    );
    if (status === 200) return;
    await sleep(20);
  }
  throw new Error(`The function at ${url} was not ready within 30 s.`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
