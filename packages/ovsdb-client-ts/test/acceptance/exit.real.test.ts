import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Inventory } from '../support/inventory.ts';

it('a process that has used everything and closed it ends at once', async () => {
  await using inventory = await Inventory.start();
  const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
  const generated = fileURLToPath(new URL('../generated/inventory.ts', import.meta.url));
  const program = `
    import { OvsdbClient } from ${JSON.stringify(index)};
    import { schema } from ${JSON.stringify(generated)};
    const client = new OvsdbClient({ remote: ${JSON.stringify(inventory.remote)}, database: 'Inventory' });
    const db = client.typed(schema);
    const cache = db.cache({ Box: {} });
    await cache.ready;
    const events = client.monitor({ Item: {} })[Symbol.asyncIterator]();
    await events.next();
    await client.lock('mine');
    client.transact([{ op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [] }]).catch(() => {});
    await client.echo([]);
    await events.return();
    await cache.close();
    await client.close();
    process.stdout.write('closed');
  `;
  const { status, stdout, stderr } = spawnSync(
    'node',
    ['--conditions=ovn-handover-source', '--no-warnings', '--input-type=module', '--eval', program],
    {
      encoding: 'utf8',
      timeout: 20_000,
    },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'closed', stderr: '' });
}, 30_000);
