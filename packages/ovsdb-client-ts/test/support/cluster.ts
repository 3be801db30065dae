import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../../lab/free-port.ts';
import { OvsdbServer } from '../../src/test-server/ovsdb-server.ts';
import { TemporaryDirectory } from './server.ts';

/** A raft cluster of real ovsdb-servers on this machine. */
export class Cluster implements AsyncDisposable {
  readonly members: readonly OvsdbServer[];
  /** The members' databases. */
  readonly files: readonly string[];
  /** All members, for a client. */
  readonly remote: string;
  readonly #database: string;
  readonly #directory: TemporaryDirectory;

  private constructor(members: OvsdbServer[], remote: string, database: string, directory: TemporaryDirectory) {
    this.members = members;
    this.files = members.map((_, i) => fileOf(directory, i));
    this.remote = remote;
    this.#database = database;
    this.#directory = directory;
  }

  static async start(schema: { name: string }, size = 3): Promise<Cluster> {
    const directory = new TemporaryDirectory();
    const members: OvsdbServer[] = [];
    const sockets: string[] = [];
    const schemaFile = directory.file('schema', schema);
    let first: string | undefined;
    for (let i = 0; i < size; i++) {
      const home = join(directory.path, String(i));
      mkdirSync(home);
      const database = fileOf(directory, i);
      const address = `tcp:127.0.0.1:${await freePort()}`;
      if (first === undefined) execFileSync('ovsdb-tool', ['create-cluster', database, schemaFile, address]);
      else execFileSync('ovsdb-tool', ['join-cluster', database, schema.name, address, first]);
      first ??= address;
      const socket = join(home, 'socket');
      sockets.push(`unix:${socket}`);
      members.push(await OvsdbServer.start({ databases: [database], remotes: [`punix:${socket}`], directory: home }));
      await until(() => members[i]!.control('cluster/status', schema.name).includes('Status: cluster member'));
    }
    return new Cluster(members, sockets.join(','), schema.name, directory);
  }

  /** A server that passes everything on to the cluster (ovsdb(7), "Relay Service Model"). */
  async startRelay(): Promise<Relay> {
    const home = join(this.#directory.path, 'relay');
    mkdirSync(home);
    const socket = join(home, 'socket');
    const databases = [`relay:${this.#database}:${this.remote}`];
    const server = await OvsdbServer.start({ databases, remotes: [`punix:${socket}`], directory: home });
    return new Relay(server, `unix:${socket}`);
  }

  /** The member that says it leads. With several in a row saying so, any of them; undefined when none. */
  leader(): OvsdbServer | undefined {
    return this.members.find((member) => {
      try {
        return member.isRunning && member.control('cluster/status', this.#database).includes('Role: leader');
      } catch {
        return false;
      }
    });
  }

  async waitForLeader(): Promise<OvsdbServer> {
    await until(() => this.leader() !== undefined);
    return this.leader()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    this.#directory[Symbol.dispose]();
  }
}

export class Relay implements AsyncDisposable {
  readonly server: OvsdbServer;
  readonly remote: string;

  constructor(server: OvsdbServer, remote: string) {
    this.server = server;
    this.remote = remote;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
  }
}

function fileOf(directory: TemporaryDirectory, member: number): string {
  return join(directory.path, String(member), 'db');
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not after 30 s: ${condition}`);
    await sleep(50);
  }
}
