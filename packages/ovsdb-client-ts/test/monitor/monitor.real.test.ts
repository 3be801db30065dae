import { setTimeout as sleep } from 'node:timers/promises';
import type { MonitorEvent, Operation } from '../../src/index.ts';
import { RpcError } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { Inventory, inventorySchema } from '../support/inventory.ts';

const box = (serial: string, level = 0): Operation => ({
  op: 'insert',
  table: 'Box',
  row: { serial, level, size: 'small' },
});

async function take(events: AsyncIterator<MonitorEvent>): Promise<MonitorEvent> {
  const { value, done } = await events.next();
  if (done) throw new Error('the monitor ended');
  return value;
}

function rowsOf(event: MonitorEvent, table = 'Box') {
  return Object.values(event.updates[table] ?? {});
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not: ${condition}`);
    await sleep(10);
  }
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

  it('gives the reader who fell behind a snapshot, not an endless backlog', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await using monitor = client.monitor({ Box: { columns: ['level'] } });
    const events = monitor[Symbol.asyncIterator]();
    await take(events);
    await client.transact([box('a')]);
    for (let i = 1; i <= 1200; i++) {
      await client.transact([{ op: 'update', table: 'Box', where: [], row: { level: i % 10 } }]);
    }
    let seen = 0;
    let last: MonitorEvent;
    do {
      last = await take(events);
      seen++;
    } while (last.kind !== 'snapshot');
    expect(seen).toBeLessThan(1000);
    expect(rowsOf(last)).toEqual([{ initial: {} }]);
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

  it('fails whoever waits when the schema does not fit', async () => {
    const lacking = structuredClone(inventorySchema);
    delete lacking.tables.Box;
    await using inventory = await Inventory.start(lacking);
    await using client = inventory.client();
    await using cache = client.typed(schema).cache({ Box: {} });
    await expect(cache.ready).rejects.toMatchObject({ code: 'OVSDB_SCHEMA' });
  });
});
