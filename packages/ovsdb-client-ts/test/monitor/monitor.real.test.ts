import type { MonitorEvent, Operation } from '../../src/index.ts';
import { RpcError } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { Inventory, inventorySchema } from '../support/inventory.ts';
import { until } from '../support/until.ts';

const box = (serial: string, level = 0): Operation => ({
  op: 'insert',
  table: 'Box',
  row: { serial, level, size: 'small' },
});

const setLevel = (level: number) => ({ op: 'update', table: 'Box', where: [], row: { level } }) as const;

async function take(events: AsyncIterator<MonitorEvent>): Promise<MonitorEvent> {
  const { value, done } = await events.next();
  if (done) throw new Error('the monitor ended');
  return value;
}

function rowsOf(event: MonitorEvent, table = 'Box') {
  return Object.values(event.updates[table] ?? {});
}

describe('monitor', () => {
  it('gives the contents first and then each change', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await client.transact([box('a')]);
    await using monitor = client.monitor({ Box: { columns: ['serial', 'level'] } });
    const events = monitor[Symbol.asyncIterator]();
    const first = await take(events);
    expect(first.kind).toBe('snapshot');
    expect(rowsOf(first)).toEqual([{ initial: { serial: 'a' } }]);
    await client.transact([{ op: 'update', table: 'Box', where: [], row: { level: 3 } }]);
    expect(rowsOf(await take(events))).toEqual([{ modify: { level: 3 } }]);
    await client.transact([{ op: 'delete', table: 'Box', where: [] }]);
    expect(rowsOf(await take(events))).toEqual([{ delete: null }]);
  });

  it('narrows and widens by its condition', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await client.transact([box('a', 1), box('b', 2)]);
    await using monitor = client.monitor({ Box: { columns: ['serial'], where: [['level', '==', 1]] } });
    const events = monitor[Symbol.asyncIterator]();
    expect(rowsOf(await take(events))).toEqual([{ initial: { serial: 'a' } }]);
    await monitor.changeCondition('Box', [['level', '==', 2]]);
    expect(rowsOf(await take(events))).toEqual(expect.arrayContaining([{ delete: null }, { insert: { serial: 'b' } }]));
  });

  it('gives the whole contents again after a restart of a standalone server', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using monitor = client.monitor({ Box: { columns: ['serial'] } });
    const events = monitor[Symbol.asyncIterator]();
    expect((await take(events)).kind).toBe('snapshot');
    await inventory.server.kill();
    await inventory.server.start();
    await client.transact([box('late')]);
    const again = await take(events);
    const rows = again.kind === 'snapshot' && rowsOf(again).length === 0 ? rowsOf(await take(events)) : rowsOf(again);
    expect(rows).toHaveLength(1);
  });

  it('gives the reader who is further behind than the table is long a snapshot, once, when it comes for it', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using monitor = client.monitor({ Box: { columns: ['level'] } });
    const events = monitor[Symbol.asyncIterator]();
    await take(events);
    await client.transact([box('a')]);
    for (let i = 1; i <= 3500; i++) await client.transact([setLevel(i % 10)]);
    const seen: MonitorEvent[] = [];
    do {
      seen.push(await take(events));
    } while (seen.at(-1)!.kind !== 'snapshot');
    expect(seen.length).toBeLessThan(1000);
    expect(rowsOf(seen.at(-1)!)).toEqual([{ initial: {} }]);
    await client.transact([setLevel(7)]);
    expect(rowsOf(await take(events))).toEqual([{ modify: { level: 7 } }]);
  });

  it('does not make the server send a long table again for a reader who is some thousand updates behind', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client({ requestTimeoutMs: 60_000 });
    const [first] = await client.transact([box('first')]);
    for (let i = 0; i < 5; i++) await client.transact(Array.from({ length: 1000 }, (_, j) => box(`${i}-${j}`)));
    await using monitor = client.monitor({ Box: { columns: ['level'] } });
    const events = monitor[Symbol.asyncIterator]();
    expect(rowsOf(await take(events))).toHaveLength(5001);
    const where = [['_uuid', '==', first!.uuid!]] as const;
    const updates = Array.from({ length: 4000 }, (_, i): Operation => ({ ...setLevel((i + 1) % 10), where }));
    await Promise.all(updates.map((update) => client.transact([update])));
    for (let last = 0; last !== 4000; last++) expect((await take(events)).kind).toBe('changes');
  }, 120_000);

  it('has one reader, whose own errors it lets through', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using monitor = client.monitor({ Box: {} });
    const events = monitor[Symbol.asyncIterator]();
    await events.next();
    await expect(monitor[Symbol.asyncIterator]().next()).rejects.toThrow('This monitor has a reader');
    await client.transact([{ op: 'insert', table: 'Box', row: { serial: 'still read', size: 'small' } }]);
    expect((await events.next()).value).toMatchObject({ kind: 'changes' });
    const reading = async () => {
      for await (const { kind } of client.monitor({ Box: {} })) throw new Error(`mine at the ${kind}`);
    };
    await expect(reading()).rejects.toThrow('mine at the snapshot');
  });

  it('fails the reader when the server rejects the monitor', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using monitor = client.monitor({ Nowhere: {} });
    await expect(take(monitor[Symbol.asyncIterator]())).rejects.toBeInstanceOf(RpcError);
  });
});

describe('cache', () => {
  it('follows sets, maps and optionals through insert, modify and delete', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await using cache = db.cache({ Box: { columns: ['tags', 'labels', 'sealed', 'count'] } });
    await cache.ready;
    const [id] = await db.transact([
      db.insert('Box', { serial: 'a', size: 'small', tags: ['x', 'y'], labels: { k: 'v', l: 'w' }, count: 2n ** 60n }),
    ]);
    const row = () => cache.tables.Box.get(id);
    // Changes of one's own come before the answer.
    expect(row()).toEqual({
      _uuid: id,
      tags: ['x', 'y'],
      labels: new Map(Object.entries({ k: 'v', l: 'w' })),
      sealed: undefined,
      count: 2n ** 60n,
    });
    await db.transact([
      db.mutate(
        'Box',
        [],
        [
          ['tags', 'delete', ['x']],
          ['tags', 'insert', ['z']],
        ],
      ),
      db.mutate('Box', [], [['labels', 'delete', ['k']]]),
      db.update('Box', [], { sealed: true, labels: { l: 'changed' } }),
    ]);
    expect(row()).toMatchObject({ sealed: true, labels: new Map([['l', 'changed']]) });
    expect(row()?.tags.toSorted()).toEqual(['y', 'z']);
    await db.transact([db.update('Box', [], { sealed: undefined, tags: [] })]);
    expect(row()).toMatchObject({ sealed: undefined, tags: [] });
    await db.transact([db.delete('Box', [['_uuid', '==', id]])]);
    expect(row()).toBeUndefined();
  });

  it('gives its readers the rows before and after, and merges what a slow one missed', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await using cache = db.cache({ Box: { columns: ['level'] } });
    await cache.ready;
    const changes = cache[Symbol.asyncIterator]();
    const pending = changes.next();
    const [id] = await db.transact([db.insert('Box', { serial: 'a', size: 'small', level: 1 })]);
    expect((await pending).value).toEqual([
      { table: 'Box', uuid: id, before: undefined, after: { _uuid: id, level: 1 } },
    ]);
    for (const level of [2, 3, 4]) await db.transact([db.update('Box', [], { level })]);
    const merged = (await changes.next()).value;
    expect(merged).toEqual([
      { table: 'Box', uuid: id, before: { _uuid: id, level: 1 }, after: { _uuid: id, level: 4 } },
    ]);
  });

  it('drops the rows that were deleted while the server was away', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using other = inventory.client();
    const db = client.typed(schema);
    await client.transact([box('gone'), box('stays')]);
    await using cache = db.cache({ Box: { columns: ['serial'] } });
    await cache.ready;
    expect(cache.tables.Box.size).toBe(2);
    await inventory.server.kill();
    await until(() => !cache.isLive);
    expect(cache.tables.Box.size).toBe(2);
    await inventory.server.start();
    await other.transact([{ op: 'delete', table: 'Box', where: [['serial', '==', 'gone']] }, box('new')]);
    await until(() => cache.isLive && cache.tables.Box.size === 2 && serials().includes('new'));
    function serials() {
      return [...cache.tables.Box.values()].map(({ serial }) => serial);
    }
    expect(serials().toSorted()).toEqual(['new', 'stays']);
  });

  it('goes on through an online conversion of the schema', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await using cache = db.cache({ Box: { columns: ['serial'] } });
    await cache.ready;
    const newer = structuredClone(inventorySchema);
    newer.version = '1.3.0';
    newer.tables.Box.columns.colour = { type: 'string' };
    await client.convert(newer);
    await client.transact([box('after')]);
    await until(() => cache.tables.Box.size === 1);
    expect(cache.isLive).toBe(true);
  });

  it('finds rows by a condition on an integer of 64 bits', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    const insert = (serial: string, count: bigint) => db.insert('Box', { serial, size: 'small', count });
    await db.transact([insert('a', 2n ** 62n), insert('b', 2n ** 62n + 1n)]);
    await using cache = db.cache({ Box: { columns: ['serial'], where: [['count', '==', 2n ** 62n]] } });
    await cache.ready;
    expect([...cache.tables.Box.values()]).toEqual([expect.objectContaining({ serial: 'a' })]);
  });

  it('fails whoever waits when the schema does not fit', async () => {
    const lacking = structuredClone(inventorySchema);
    delete lacking.tables.Box;
    await using inventory = await Inventory.start(lacking);
    await using client = inventory.client();
    await using cache = client.typed(schema).cache({ Box: {} });
    await expect(cache.ready).rejects.toMatchObject({ code: 'OVSDB_SCHEMA' });
  });
});
