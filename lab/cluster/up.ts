import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { requireOurs } from '../testbed/holder.ts';
import { namespacesOf } from '../testbed/namespaces.ts';
import { cleanUp } from './cleanup.ts';
import type { ClusterOptions } from './cluster-run.ts';
import { DIRECTORY, ovnFolder, PREFIX, readCluster } from './description.ts';
import type { FromSupervisor, ToSupervisor } from './supervise.ts';

const PROGRAM = fileURLToPath(new URL('supervise.ts', import.meta.url));
const GONE_WITHIN_MS = 60_000;

/** Starts a cluster in a process of its own, which ends with this one unless it is told to stay. */
export class Supervisor {
  /** Rejects when the cluster could not be started or ended by itself. */
  readonly ready: Promise<void>;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;

  static async start(options: ClusterOptions, onProgress: (step: string) => void): Promise<Supervisor> {
    await mkdir(options.directory, { recursive: true });
    const log = await open(join(options.directory, 'supervisor.log'), 'w');
    const child = fork(PROGRAM, [], {
      execArgv: ['--conditions=ovn-handover-source', '--no-warnings'],
      // A Ctrl-C is for us to pass on.
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    await log.close();
    return new Supervisor(child, options, onProgress);
  }

  private constructor(child: ChildProcess, options: ClusterOptions, onProgress: (step: string) => void) {
    this.#process = child;
    this.#exit = once(child, 'exit');
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message: FromSupervisor) => {
        if (message === 'ready') resolve();
        else if ('progress' in message) onProgress(message.progress);
        else reject(new Error(message.failed));
      });
      child.once('exit', (code) => reject(new Error(`the cluster's supervisor has ended (${code}).`)));
    });
    // It is also told to whoever waits for it.
    this.ready.catch(() => {});
    child.send({ start: options } satisfies ToSupervisor);
  }

  /** Lets the cluster stand after this process's end. */
  async stay(): Promise<void> {
    await new Promise((resolve) => this.#process.send('stay' satisfies ToSupervisor, resolve));
    this.#process.disconnect();
    this.#process.unref();
  }

  /** Resolves when nothing is left of the cluster. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#exit;
  }

  /** Resolves when the cluster has ended by itself. */
  async ended(): Promise<void> {
    await this.#exit;
  }
}

/**
 * Ends the cluster that stands, or what is left of one; resolves when nothing is.
 *
 * @throws HeldError when it is another clone's
 */
export async function takeDown(directory = DIRECTORY): Promise<void> {
  await requireOurs(PREFIX, ovnFolder(directory));
  const { supervisor } = existsSync(join(directory, 'cluster.json')) ? await readCluster(directory) : { supervisor: 0 };
  if (supervisor !== 0 && (await isSupervisor(supervisor))) {
    process.kill(supervisor, 'SIGTERM');
    const giveUpAt = Date.now() + GONE_WITHIN_MS;
    while ((await isSupervisor(supervisor)) && Date.now() < giveUpAt) await sleep(50);
  }
  await cleanUp({ directory, prefix: PREFIX });
}

/**
 * Whether anything of a cluster is there.
 *
 * @throws HeldError when it is another clone's
 */
export async function isStanding(): Promise<boolean> {
  await requireOurs(PREFIX, ovnFolder(DIRECTORY));
  return (await namespacesOf(PREFIX)).length > 0;
}

/** A process id may be another process's by now. */
async function isSupervisor(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes(PROGRAM);
}
