import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster, createDatabase } from './database-file.ts';
import { OvsdbServer } from './ovsdb-server.ts';

/**
 * What a test server is made of.
 *
 * @see [ovsdb-server(1)](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.1/)
 *
 * @example
 * ```ts
 * const options: TestServerOptions = { schema: '/usr/share/ovn/ovn-sb.ovsschema', isClustered: true };
 * ```
 */
export interface TestServerOptions {
  /** The schema of its database (RFC 7047 section 3.2), or the path of a file with it. */
  schema: object | string;
  /** A cluster of this one member, instead of a standalone database. @default false */
  isClustered?: boolean;
  /** Further arguments of ovsdb-server, such as `--remote=ptcp:6640:127.0.0.1`. */
  args?: readonly string[];
}

const running = new Set<TestServer>();

/**
 * A real ovsdb-server with one empty database, for tests. It listens on a socket in a directory of its own; both are
 * gone when it is closed, and when this process ends. The programs `ovsdb-server`, `ovsdb-tool` and `ovs-appctl` of
 * Open vSwitch must be installed.
 *
 * @see [ovsdb-server(1)](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.1/)
 *
 * @example
 * ```ts
 * const schema = { name: 'Notes', version: '1.0.0', tables: { Note: { columns: { text: { type: 'string' } } } } };
 * await using server = await TestServer.start({ schema });
 * await using client = new OvsdbClient({ remote: server.remote, database: server.database });
 * await client.transact([{ op: 'select', table: 'Note', where: [] }]); // => [{ rows: [] }]
 * ```
 */
export class TestServer implements AsyncDisposable {
  /** Where clients find it. */
  readonly remote: string;
  /** Name of the database. */
  readonly database: string;
  /** With the socket and the file `db` of the database. */
  readonly directory: string;
  readonly #server: OvsdbServer;

  private constructor(database: string, args: readonly string[]) {
    this.database = database;
    this.directory = mkdtempSync(join(tmpdir(), 'ovsdb-'));
    this.remote = `unix:${join(this.directory, 'socket')}`;
    const { directory, remote } = this;
    this.#server = new OvsdbServer({ databases: [join(directory, 'db')], remotes: [`p${remote}`], directory, args });
    running.add(this);
  }

  /** @throws Error when a program is not installed or does not take the schema */
  static async start({ schema, isClustered = false, args = [] }: TestServerOptions): Promise<TestServer> {
    const json = typeof schema === 'string' ? JSON.parse(readFileSync(schema, 'utf8')) : schema;
    const server = new TestServer(json.name, args);
    try {
      (isClustered ? createCluster : createDatabase)(server.directory, json);
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** Of the process; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** Starts it again after `kill`, with what was committed. */
  async start(): Promise<void> {
    await this.#server.start();
  }

  /** Ends the process, by default as a crash does. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#server.kill(signal);
  }

  /** Stops the process in place, as a machine that hangs. */
  pause(): void {
    this.#server.pause();
  }

  /** Lets it go on after `pause`. */
  resume(): void {
    this.#server.resume();
  }

  /** Runs a command of ovs-appctl, such as `memory/show`, and gives what it prints. */
  control(...command: string[]): string {
    return this.#server.control(...command);
  }

  /** Ends the process and removes the directory. */
  async close(): Promise<void> {
    await this.kill();
    this.#remove();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #remove(): void {
    running.delete(this);
    rmSync(this.directory, { recursive: true, force: true });
  }

  static {
    process.on('exit', () => {
      for (const server of running) {
        void server.kill();
        server.#remove();
      }
    });
  }
}
