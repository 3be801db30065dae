import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerOptions {
  /** Files of databases that exist already. */
  databases: readonly string[];
  remotes: readonly string[];
  directory: string;
  /** Further arguments of ovsdb-server. */
  args?: readonly string[];
}

/** A real ovsdb-server in the foreground, as a child of this process. */
export class OvsdbServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  #child: ReturnType<typeof spawn> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  static async start(options: ServerOptions): Promise<OvsdbServer> {
    const server = new OvsdbServer(options);
    await server.start();
    return server;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Of the process that runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, also once more after `kill`. @throws Error with what ovsdb-server said when it ends at once */
  async start(): Promise<void> {
    const { databases, remotes, directory, args = [] } = this.#options;
    const control = join(directory, 'ctl');
    rmSync(control, { force: true });
    const child = spawn(
      'ovsdb-server',
      [
        ...databases,
        ...remotes.map((remote) => `--remote=${remote}`),
        `--unixctl=${control}`,
        '-vconsole:off',
        ...args,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    let problem: Error | undefined;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
    child.once('error', (error) => {
      problem = new Error(`ovsdb-server cannot be run: ${error.message}`, { cause: error });
    });
    child.once('close', (code, signal) => {
      problem ??= new Error(`ovsdb-server ended with ${code ?? signal}: ${said.trim()}`);
    });
    while (problem === undefined && !existsSync(control)) await sleep(10);
    if (problem !== undefined) {
      this.#child = undefined;
      throw problem;
    }
    // Whoever forgets to end it must not wait for it.
    child.unref();
    (child.stderr as Socket).unref();
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** Stops the process in place, as a machine that hangs. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Runs a command on the server's control socket. */
  control(...command: string[]): string {
    return execFileSync('ovs-appctl', ['-t', join(this.#options.directory, 'ctl'), ...command], { encoding: 'utf8' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
