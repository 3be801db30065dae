import { type OvsdbClient, SchemaError, TransactionError, UnsendableError, type WireValue } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { Inventory } from '../support/inventory.ts';

let inventory: Inventory;
let client: OvsdbClient;
const db = () => client.typed(schema);
beforeAll(async () => {
  inventory = await Inventory.start();
  client = inventory.client();
});
afterAll(async () => {
  await client.close();
  await inventory[Symbol.asyncDispose]();
});

let boxes = 0;
/** Every box has another serial number, which is the key of its table. */
const serial = (): string => `box ${boxes++}`;

describe('a value on the wire', () => {
  const there = async (column: string, value: WireValue): Promise<WireValue | undefined> => {
    const box = serial();
    const where = [['serial', '==', box]] as const;
    const row = { size: 'small', [column]: value, serial: box };
    const [, read] = await client.transact([
      { op: 'insert', table: 'Box', row },
      { op: 'select', table: 'Box', where, columns: [column] },
    ]);
    return read!.rows![0]![column];
  };

  it.each<[string, WireValue]>([
    ['weight', 1e37],
    ['weight', 0.1],
    ['weight', 1e15],
    ['weight', 1e20],
    ['count', Number.MAX_SAFE_INTEGER],
    ['count', -(2n ** 63n)],
    ['count', 2n ** 63n - 1n],
    ['sealed', ['set', []]],
    ['sealed', false],
    ['tags', ['set', []]],
    ['tags', 'alone'],
    ['tags', ''],
    ['tags', '𝄞 🎉 \u{10ffff}'],
    ['tags', '\u0001\u001f\u007f\u2028"\\/'],
    ['tags', '\ufeffa byte order mark'],
    ['labels', ['map', []]],
    ['labels', ['map', [['', '']]]],
    ['labels', ['map', [['__proto__', 'constructor']]]],
  ])('of %s comes back as it was: %j', async (column, value) => {
    expect(await there(column, value)).toEqual(value);
  });

  it.each<[string, WireValue, WireValue]>([
    ['weight', -0, 0],
    ['weight', 0.1 + 0.2, 0.3],
    ['weight', 123_456_789_012_345_680, 123_456_789_012_346_000],
    ['count', 2 ** 53, BigInt(2 ** 53)],
    ['count', 1e18, 10n ** 18n],
    ['count', -0, 0],
    ['tags', ['set', ['alone']], 'alone'],
  ])('of %s comes back as the server holds it: %j', async (column, value, held) => {
    expect(await there(column, value)).toEqual(held);
  });

  it.each<[string, WireValue, string]>([
    ['count', 2 ** 63, 'syntax error'],
    ['count', 1.5, 'syntax error'],
    ['tags', ['set', ['a', 'a']], 'ovsdb error'],
    ['level', 11, 'constraint violation'],
  ])('of %s is rejected by the server: %j', async (column, value, tag) => {
    await expect(there(column, value)).rejects.toMatchObject({ tag });
  });

  it.each<[string, WireValue]>([
    ['count', 2n ** 63n],
    ['weight', Number.NaN],
    ['weight', Number.POSITIVE_INFINITY],
    ['weight', 5e-324],
    ['tags', 'a\0b'],
    ['labels', ['map', [['key', '\ud800']]]],
  ])('of %s is not sent: %p', async (column, value) => {
    await expect(there(column, value)).rejects.toBeInstanceOf(UnsendableError);
  });
});

describe('a typed value', () => {
  it.each([
    [{ count: 5n }, { count: 5n }],
    [{ totals: [3n, 1n, 2n] }, { totals: [1n, 2n, 3n] }],
    [{ sealed: undefined }, { sealed: undefined }],
    [{ sealed: false }, { sealed: false }],
    [{ tags: [] }, { tags: [] }],
    [{ labels: { a: 'b' } }, { labels: new Map([['a', 'b']]) }],
    [{ labels: JSON.parse('{"__proto__":"x"}') }, { labels: new Map([['__proto__', 'x']]) }],
    [{ labels: new Map([['k', 'v']]) }, { labels: new Map([['k', 'v']]) }],
  ])('%p is read back as %p', async (written, read) => {
    const [id] = await db().transact([db().insert('Box', { serial: serial(), size: 'small', ...written })]);
    const columns = Object.keys(read) as (keyof typeof read)[];
    const [[row]] = await db().transact([db().select('Box', [['_uuid', '==', id]], columns)]);
    expect(row).toEqual(read);
  });

  it.each<[object, string]>([
    [{ count: 2 ** 53 }, 'Column count of table Box: expected a bigint and got 9007199254740992'],
    [{ count: '5' }, 'Column count of table Box: expected a bigint and got "5"'],
    [{ level: 1n }, 'Column level of table Box: expected an integer and got 1n'],
    [{ serial: undefined }, 'Column serial of table Box: expected a string and got undefined'],
    [{ sealed: null }, 'Column sealed of table Box: expected a boolean and got null'],
    [{ size: 'medium' }, 'Column size of table Box: expected one of'],
    [{ colour: 'red' }, 'Table Box has no column colour'],
  ])('%p is rejected where it is written', (row, message) => {
    const insert = () => db().insert('Box', row as never);
    expect(insert).toThrow(SchemaError);
    expect(insert).toThrow(message);
  });

  it('may stand for a row that comes later in the transaction, or for its own', async () => {
    const pen = db().insert('Item', { name: 'pen' });
    const box = db().insert('Box', {
      serial: serial(),
      size: 'small',
      items: [pen.ref],
      slots: new Map([[1, pen.ref]]),
      favourite: pen.ref,
    });
    const [boxId, penId] = await db().transact([box, pen]);
    const columns = ['items', 'slots', 'favourite'] as const;
    const [[row]] = await db().transact([db().select('Box', [['_uuid', '==', boxId]], columns)]);
    expect(row).toEqual({ items: [penId], slots: new Map([[1, penId]]), favourite: penId });
  });

  it('cannot stand for a row of another transaction, nor an insert for two rows of one', async () => {
    const pen = db().insert('Item', { name: 'pen' });
    const box = db().insert('Box', { serial: serial(), size: 'small', items: [pen.ref] });
    await expect(db().transact([box])).rejects.toMatchObject({ tag: 'referential integrity violation' });
    await expect(db().transact([pen, pen])).rejects.toMatchObject({ tag: 'duplicate uuid-name' });
    const item = db().insert('Item', { name: 'again' });
    const holder = (ref: typeof item.ref) => db().insert('Box', { serial: serial(), size: 'small', items: [ref] });
    const [one] = await db().transact([item, holder(item.ref)]);
    const [other] = await db().transact([item, holder(item.ref)]);
    expect(one).not.toBe(other);
  });
});

describe('a mutation', () => {
  it('deletes of a map the keys of a list, and of an object the pairs that are the same', async () => {
    const labels = { a: '1', b: '2', c: '3' };
    const [id] = await db().transact([db().insert('Box', { serial: serial(), size: 'small', labels })]);
    const where = [['_uuid', '==', id]] as const;
    await db().transact([
      db().mutate('Box', where, [
        ['labels', 'delete', ['a']],
        ['labels', 'delete', { b: '2', c: 'another' }],
        ['labels', 'insert', { c: 'not taken', d: '4' }],
      ]),
    ]);
    const [[row]] = await db().transact([db().select('Box', where, ['labels'])]);
    expect(row!.labels).toEqual(
      new Map([
        ['c', '3'],
        ['d', '4'],
      ]),
    );
  });

  it.each([
    ['/=', 0n, 'domain error'],
    ['+=', 1n, 'range error'],
  ] as const)('that has no result is rejected: %s %s', async (mutator, operand, tag) => {
    const insert = db().insert('Box', { serial: serial(), size: 'small', count: 2n ** 63n - 1n });
    const mutate = db().mutate('Box', [], [['count', mutator, operand]]);
    const error = await db()
      .transact([insert, mutate])
      .catch((e) => e);
    expect(error).toBeInstanceOf(TransactionError);
    expect(error).toMatchObject({ index: 1, tag });
  });
});
