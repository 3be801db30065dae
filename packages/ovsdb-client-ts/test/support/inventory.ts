import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OvsdbClient, type OvsdbClientOptions } from '../../src/index.ts';
import { createCluster, createDatabase, OvsdbServer, TemporaryDirectory } from './server.ts';

export const inventorySchema = JSON.parse(readFileSync(new URL('inventory.ovsschema', import.meta.url), 'utf8'));

/** A real server with an empty Inventory, and clients of it. With `isClustered` it is a cluster of one. */
export class Inventory implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly server: OvsdbServer;
  readonly remote: string;

  private constructor(directory: TemporaryDirectory, server: OvsdbServer, remote: string) {
    this.directory = directory;
    this.server = server;
    this.remote = remote;
  }

  static async start(schema: unknown = inventorySchema, { isClustered = false } = {}): Promise<Inventory> {
    const directory = new TemporaryDirectory();
    const database = isClustered ? createCluster(directory, schema) : createDatabase(directory, schema);
    const socket = join(directory.path, 'socket');
    const server = await OvsdbServer.start({
      databases: [database],
      remotes: [`punix:${socket}`],
      directory: directory.path,
    });
    return new Inventory(directory, server, `unix:${socket}`);
  }

  client(options: Partial<OvsdbClientOptions> = {}): OvsdbClient {
    return new OvsdbClient({ remote: this.remote, database: 'Inventory', ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
    this.directory[Symbol.dispose]();
  }
}
