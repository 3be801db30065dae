import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerOptions {
  /** Files of databases that exist already. */
  databases: string[];
  remotes: string[];
  directory: string;
  /** Further arguments of ovsdb-server. */
  args?: string[];
}

/** A real ovsdb-server in the foreground, as a child of this process. */
export class OvsdbServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  #child: ReturnType<typeof spawn> | undefined;

  private constructor(options: ServerOptions) {
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

  async start(): Promise<void> {
    const { databases, remotes, directory, args = [] } = this.#options;
    const control = join(directory, 'ctl');
    rmSync(control, { force: true });
    this.#child = spawn(
      'ovsdb-server',
      [
        ...databases,
        ...remotes.map((remote) => `--remote=${remote}`),
        `--unixctl=${control}`,
        '-vconsole:off',
        ...args,
      ],
      { stdio: 'ignore' },
    );
    while (!existsSync(control)) {
      if (this.#child.exitCode !== null) throw new Error(`ovsdb-server ended with ${this.#child.exitCode}`);
      await sleep(10);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
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

export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ovsdb-'));

  file(name: string, content: unknown): string {
    const path = join(this.path, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Creates the file of a standalone database with this schema. */
export function createDatabase(directory: TemporaryDirectory, schema: unknown, name = 'db'): string {
  const path = join(directory.path, name);
  execFileSync('ovsdb-tool', ['create', path, directory.file(`${name}.ovsschema`, schema)]);
  return path;
}

/** Creates the file of the first member of a cluster with this schema; it replaces an older one. */
export function createCluster(directory: TemporaryDirectory, schema: unknown, name = 'db'): string {
  const path = join(directory.path, name);
  rmSync(path, { force: true });
  const address = `unix:${join(directory.path, 'raft')}`;
  execFileSync('ovsdb-tool', ['create-cluster', path, directory.file(`${name}.ovsschema`, schema), address]);
  return path;
}
