import { freePort } from '../../../../lab/free-port.ts';
import { OvsdbClient } from '../../src/index.ts';
import { createDatabase } from '../../src/test-server/database-file.ts';
import { OvsdbServer } from '../../src/test-server/ovsdb-server.ts';
import { inventorySchema } from '../support/inventory.ts';
import { TemporaryDirectory } from '../support/server.ts';

it.each(['127.0.0.1', '[::1]'])('talks over TCP to %s', async (host) => {
  using directory = new TemporaryDirectory();
  const port = await freePort();
  await using _server = await OvsdbServer.start({
    databases: [createDatabase(directory.path, inventorySchema)],
    remotes: [`ptcp:${port}:${host}`],
    directory: directory.path,
  });
  await using client = new OvsdbClient({ remote: `tcp:${host}:${port}`, database: 'Inventory' });
  expect(await client.echo(['hello'])).toEqual(['hello']);
});
