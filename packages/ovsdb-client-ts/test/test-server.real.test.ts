import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OvsdbClient } from '../src/index.ts';
import { TestServer } from '../src/test-server/test-server.ts';
import { inventorySchema } from './support/inventory.ts';
import { until } from './support/until.ts';

/** One that has ended and waits to be reaped has no program any more. */
const isRunning = (pid: number) => existsSync(`/proc/${pid}/exe`);
const NB = '/usr/share/ovn/ovn-nb.ovsschema';

it.each([
  ['a schema', inventorySchema, 'Inventory'],
  ['the path of one', NB, 'OVN_Northbound'],
])('has an empty database of %s, and is gone when it is closed', async (_what, schema, name) => {
  const server = await TestServer.start({ schema });
  await using client = new OvsdbClient({ remote: server.remote, database: server.database });
  expect(await client.getSchema()).toMatchObject({ name });
  const { pid, directory } = server;
  expect(isRunning(pid!)).toBe(true);
  await server.close();
  expect(isRunning(pid!)).toBe(false);
  expect(existsSync(directory)).toBe(false);
  await expect(client.echo([], { timeoutMs: 100 })).rejects.toMatchObject({ code: 'OVSDB_CONNECT' });
});

it('keeps what was committed when it is killed and started again', async () => {
  await using server = await TestServer.start({ schema: inventorySchema });
  await using client = new OvsdbClient({ remote: server.remote, database: server.database });
  await client.transact([{ op: 'insert', table: 'Box', row: { serial: 'kept', size: 'small' } }]);
  const { pid } = server;
  await server.kill();
  expect(server.pid).toBeUndefined();
  await server.start();
  expect(server.pid).not.toBe(pid);
  const [result] = await client.transact([{ op: 'select', table: 'Box', where: [], columns: ['serial'] }]);
  expect(result).toEqual({ rows: [{ serial: 'kept' }] });
});

it('hangs while it is paused', async () => {
  await using server = await TestServer.start({ schema: inventorySchema });
  await using client = new OvsdbClient({ remote: server.remote, database: server.database });
  await client.echo([]);
  server.pause();
  await expect(client.echo([], { timeoutMs: 100 })).rejects.toMatchObject({ code: 'OVSDB_OUTCOME_UNKNOWN' });
  server.resume();
  expect(await client.echo(['again'])).toEqual(['again']);
});

it('may be a cluster of one, and takes arguments and commands of ovsdb-server', async () => {
  const args = ['--log-file=/dev/null', '-vfile:dbg'];
  await using server = await TestServer.start({ schema: inventorySchema, isClustered: true, args });
  expect(server.control('cluster/status', 'Inventory')).toMatch('Role: leader');
  expect(server.control('vlog/list')).toMatch(/ovsdb_server +OFF +\w+ +DBG/);
});

it('says why it cannot start, and leaves nothing behind', async () => {
  const start = (options: object) => TestServer.start({ schema: inventorySchema, ...options });
  await expect(start({ args: ['--colour'] })).rejects.toThrow(/^ovsdb-server ended with 1: .*--colour/);
  await expect(start({ schema: { name: 'A', tables: { T: {} } } })).rejects.toThrow(/columns/);
  await expect(start({ schema: '/nonexistent' })).rejects.toThrow('ENOENT');
});

it('ends with the process that started it', async () => {
  const module = fileURLToPath(new URL('../src/test-server/test-server.ts', import.meta.url));
  const program = `
    import { TestServer } from ${JSON.stringify(module)};
    const { pid, directory } = await TestServer.start({ schema: ${JSON.stringify(NB)} });
    process.stdout.write(JSON.stringify({ pid, directory }));
  `;
  const args = ['--conditions=ovn-handover-source', '--no-warnings', '--input-type=module', '--eval', program];
  const { stdout, stderr, status } = spawnSync('node', args, { encoding: 'utf8', timeout: 60_000 });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const { pid, directory } = JSON.parse(stdout);
  await until(() => !isRunning(pid));
  expect(existsSync(directory)).toBe(false);
}, 90_000);
