import { type DatabaseSchema, SchemaError, TransactionError, type Uuid } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { Inventory, inventorySchema } from '../support/inventory.ts';

describe('a typed database', () => {
  it('writes and reads every kind of column', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    const pen = db.insert('Item', { name: 'pen', owner: 'me' });
    const [penId, boxId] = await db.transact([
      pen,
      db.insert('Box', {
        serial: 'a',
        size: 'large',
        level: 3,
        count: 2n ** 62n,
        weight: 0.1,
        sealed: false,
        tags: ['x', 'y'],
        totals: [1n, -(2n ** 63n)],
        labels: { k: 'v' },
        slots: new Map([[5, pen.ref]]),
        items: [pen.ref],
        favourite: pen.ref,
      }),
    ]);
    const [rows] = await db.transact([db.select('Box', [['_uuid', '==', boxId]])]);
    expect(rows).toEqual([
      {
        _uuid: boxId,
        serial: 'a',
        size: 'large',
        level: 3,
        count: 2n ** 62n,
        weight: 0.1,
        sealed: false,
        tags: ['x', 'y'],
        totals: [-(2n ** 63n), 1n],
        labels: new Map([['k', 'v']]),
        slots: new Map([[5, penId]]),
        items: [penId],
        favourite: penId,
      },
    ]);
  });

  it('gives the results of updates, mutations and deletions as counts', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    const results = await db.transact([
      db.insert('Box', { serial: 'a', size: 'small' }),
      db.update('Box', [], { level: 1 }),
      db.mutate('Box', [['level', '<=', 1]], [['level', '+=', 4]]),
      db.wait('Box', [], [{ level: 5 }]),
      db.comment('a note'),
      db.delete('Box', [['serial', '==', 'other']]),
      db.commit(false),
    ]);
    expect(results).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), 1, 1, undefined, undefined, 0, undefined]);
  });

  it('inserts under a uuid of the caller, once', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    const uuid = crypto.randomUUID() as string as Uuid<'Box'>;
    const insert = () => db.transact([db.insert('Box', { serial: 'a', size: 'small' }, { uuid })]);
    expect(await insert()).toEqual([uuid]);
    await expect(insert()).rejects.toMatchObject({ tag: 'duplicate uuid' });
  });

  it('tells a guard that failed', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    const error = await db.transact([db.comment('x'), db.wait('Box', [], [{ serial: 'a' }])]).catch((e) => e);
    expect(error).toBeInstanceOf(TransactionError);
    expect(error).toMatchObject({ index: 1, guardFailed: true });
  });
});

describe('a server with another schema', () => {
  function changed(change: (tables: Record<string, { columns: Record<string, unknown> }>) => void): DatabaseSchema {
    const other = structuredClone(inventorySchema);
    other.version = '0.9.0';
    change(other.tables);
    return other;
  }

  it('may have more: it is not looked at', async () => {
    await using inventory = await Inventory.start(
      changed(({ Box }) => Object.assign(Box!.columns, { colour: { type: 'string' } })),
    );
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact([db.insert('Box', { serial: 'a', size: 'small' })]);
    const [rows] = await db.transact([db.select('Box', [])]);
    expect(rows[0]).not.toHaveProperty('colour');
  });

  it('may lack a column: it reads as empty, and writing or asking for it is rejected before sending', async () => {
    await using inventory = await Inventory.start(changed(({ Box }) => delete Box!.columns.labels));
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact([db.insert('Box', { serial: 'a', size: 'small' })]);
    const [rows] = await db.transact([db.select('Box', [], ['serial', 'labels'])]);
    expect(rows).toEqual([{ serial: 'a', labels: new Map() }]);
    await using cache = db.cache({ Box: { columns: ['labels'] } });
    await cache.ready;
    expect([...cache.tables.Box.values()]).toEqual([expect.objectContaining({ labels: new Map() })]);
    for (const operation of [
      db.insert('Box', { labels: {} }),
      db.update('Box', [], { labels: {} }),
      db.delete('Box', [['labels', '==', {}]]),
    ]) {
      await expect(db.transact([operation])).rejects.toThrow(
        new SchemaError("Table Box of the server's Inventory 0.9.0 has no column labels"),
      );
    }
  });

  it('may lack a table: using it is rejected', async () => {
    await using inventory = await Inventory.start(changed((tables) => delete tables.Box));
    await using client = inventory.client();
    const db = client.typed(schema);
    await expect(db.transact([db.select('Box', [])])).rejects.toBeInstanceOf(SchemaError);
  });

  it('may have another type: using the column is rejected, others work', async () => {
    const other = changed(({ Box }) => Object.assign(Box!.columns, { tags: { type: 'string' } }));
    await using inventory = await Inventory.start(other);
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact([db.insert('Box', { serial: 'a', size: 'small' })]);
    await expect(db.transact([db.select('Box', [], ['tags'])])).rejects.toThrow('another type than 1.2.0');
    expect(await db.transact([db.select('Box', [], ['serial'])])).toEqual([[{ serial: 'a' }]]);
  });
});
