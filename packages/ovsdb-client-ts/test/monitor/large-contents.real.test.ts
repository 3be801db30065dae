import { newCounters } from '../../src/diagnostics.ts';
import { connectSocket, type OvsdbClient } from '../../src/index.ts';
import { cutContents, UnparsedContents } from '../../src/monitor/row-texts.ts';
import { Connection } from '../../src/rpc/connection.ts';
import { Limit } from '../../src/rpc/limit.ts';
import { parseRemote } from '../../src/transport/remote.ts';
import { schema } from '../generated/inventory.ts';
import { Inventory } from '../support/inventory.ts';
import { until } from '../support/until.ts';

const BOXES = 600;
const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';
const columns = ['serial', 'tags', 'labels', 'count', 'weight', 'sealed'] as const;

/** So many boxes that their text is cut instead of parsed, with all that could be taken for the end of a row. */
async function fill(client: OvsdbClient): Promise<void> {
  const db = client.typed(schema);
  const item = db.insert('Item', { name: 'a row of another table' });
  const boxes = Array.from({ length: BOXES }, (_, n) =>
    db.insert('Box', {
      serial: `box ${n}`,
      size: 'small',
      tags: ['}},"', '}}}', `${n}}}}]`, `"}},"${crypto.randomUUID()}":{"initial":{`, 'größer 🎉 \\'],
      labels: { '}}': '},"Box":{', note: 'x'.repeat(50) },
      count: 2n ** 62n + BigInt(n),
      weight: n * 1e30,
      ...(n % 2 === 0 && { sealed: true }),
      ...(n === 0 && { items: [item.ref] }),
    }),
  );
  await db.transact([...boxes, item]);
}

async function read(client: OvsdbClient) {
  const db = client.typed(schema);
  const [rows] = await db.transact([db.select('Box', [], ['_uuid', ...columns])]);
  return new Map(rows.map((row) => [row._uuid, row]));
}

it('are in a cache as they are in the database, before and after changes and a restart of the server', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await fill(client);
  const db = client.typed(schema);
  await using cache = db.cache({ Box: { columns }, Item: {} });
  const reader = cache[Symbol.asyncIterator]();
  const first = reader.next();
  await cache.ready;
  expect(cache.tables.Box.size).toBe(BOXES);
  await db.transact([
    db.mutate('Box', [['serial', '==', 'box 7']], [['labels', 'insert', { added: 'to a row that nobody has read' }]]),
    db.delete('Box', [['serial', '==', 'box 8']]),
    db.insert('Box', { serial: 'new', size: 'small' }),
  ]);
  expect(new Map(cache.tables.Box)).toEqual(await read(client));
  expect((await first).value!.length).toBeGreaterThanOrEqual(BOXES);
  const unchanged = cache.find('Box', { serial: 'box 9' });
  await inventory.server.kill();
  await until(() => !cache.isLive);
  await inventory.server.start();
  await db.transact([
    db.delete('Box', [['serial', '==', 'box 10']]),
    db.update('Box', [['serial', '==', 'box 11']], { count: 1n }),
  ]);
  await until(() => cache.isLive && cache.find('Box', { serial: 'box 11' })?.count === 1n);
  expect(new Map(cache.tables.Box)).toEqual(await read(client));
  expect(cache.find('Box', { serial: 'box 9' })).toBe(unchanged);
  expect(cache.find('Box', { serial: 'box 10' })).toBeUndefined();
});

it('are cut and not parsed, as ovsdb-server writes them', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await fill(client);
  const [endpoint] = parseRemote(inventory.remote);
  const stream = await connectSocket(undefined)(endpoint!, new AbortController().signal);
  const connection = new Connection(stream, { name: 'a test', probeIntervalMs: 0, counters: newCounters() });
  using limit = new Limit(10_000);
  const params = ['Inventory', 'all', { Box: [{ columns }], Item: [{ columns: ['name'] }] }, NO_TRANSACTION];
  const contents = await connection.request('monitor_cond_since', params, limit, undefined, cutContents);
  connection.close(new Error('the test is over'));
  expect(contents).toBeInstanceOf(UnparsedContents);
  const sizes = [...(contents as UnparsedContents).tables].map(([table, rows]) => [table, rows.size]);
  expect(Object.fromEntries(sizes)).toEqual({ Box: BOXES, Item: 1 });
});
