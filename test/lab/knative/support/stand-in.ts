import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';

const LAB = fileURLToPath(new URL('../../../../lab', import.meta.url));

export interface RunningStandIn {
  readonly child: ChildProcess;
  /** The line that says that it is ready. */
  readonly line: string;
  /** Asks it to end, and gives its exit code. */
  stop(): Promise<number | null>;
}

/** Starts `lab/<name>/main.ts` as the lab does, and waits until it says that it is ready. */
export async function startStandIn(name: string, args: readonly string[]): Promise<RunningStandIn> {
  const child = spawn(process.execPath, ['--conditions=ovn-handover-source', `${LAB}/${name}/main.ts`, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const exit = once(child, 'close');
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exit.then(([code]) => Promise.reject(new Error(`${name} ended with code ${code}: ${said}`))),
  ]);
  return {
    child,
    line,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exit;
      return code;
    },
  };
}

/** The Kubernetes API stand-in in a process of its own. */
export async function startCluster() {
  const directory = await mkdtemp(join(tmpdir(), 'knative-test-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const api = await startStandIn('kubernetes-api', ['--kubeconfig', kubeconfig]);
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfig, 'utf8'));
  return {
    config,
    kubeconfig,
    directory,
    async stop() {
      await api.stop();
      await rm(directory, { recursive: true });
    },
  };
}
