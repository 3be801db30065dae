import { readFileSync } from 'node:fs';
import { OvsdbClient, type OvsdbClientOptions } from '../../src/index.ts';
import { TestServer } from '../../src/test-server/test-server.ts';

export const inventorySchema = JSON.parse(readFileSync(new URL('inventory.ovsschema', import.meta.url), 'utf8'));

/** A real server with an empty Inventory, and clients of it. With `isClustered` it is a cluster of one. */
export class Inventory implements AsyncDisposable {
  readonly server: TestServer;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(schema: object = inventorySchema, { isClustered = false } = {}): Promise<Inventory> {
    return new Inventory(await TestServer.start({ schema, isClustered }));
  }

  get remote(): string {
    return this.server.remote;
  }

  client(options: Partial<OvsdbClientOptions> = {}): OvsdbClient {
    return new OvsdbClient({ remote: this.remote, database: 'Inventory', ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}
