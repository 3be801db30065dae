// What must and what must not compile; `tsc` is the test. Never run.

import type { LogicalSwitchPort } from '../../src/generated/ovn-nb.ts';
import { schema as northbound } from '../../src/generated/ovn-nb.ts';
import { NamedUuid, type OvsdbClient, type Uuid } from '../../src/index.ts';
import type * as SameNames from '../generated/collisions.ts';
import { schema as sameNames } from '../generated/collisions.ts';
import { type Box, schema } from '../generated/inventory.ts';

declare const client: OvsdbClient;
const db = client.typed(schema);
const nb = client.typed(northbound);
declare const item: Uuid<'Item'>;
declare const box: Uuid<'Box'>;

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

// Rows as people write them.
holds<Equal<Box['size'], 'large' | 'small'>>();
holds<Equal<Box['level'], number>>();
holds<Equal<Box['count'], bigint>>();
holds<Equal<Box['sealed'], boolean | undefined>>();
holds<Equal<Box['tags'], readonly string[]>>();
holds<Equal<Box['labels'], ReadonlyMap<string, string>>>();
holds<Equal<Box['slots'], ReadonlyMap<number, Uuid<'Item'>>>>();
holds<Equal<Box['favourite'], Uuid<'Item'> | undefined>>();
holds<Equal<LogicalSwitchPort['options'], ReadonlyMap<string, string>>>();

// Inserts.
db.insert('Box', { serial: 'a', size: 'small', labels: { a: 'b' }, items: [item, new NamedUuid<'Item'>('x')] });
db.insert('Box', { slots: new Map([[1, item]]), favourite: undefined, count: 5n });
// @ts-expect-error wrong table
db.insert('Bax', {});
// @ts-expect-error wrong column
db.insert('Box', { colour: 'red' });
// @ts-expect-error wrong type
db.insert('Box', { level: 'three' });
// @ts-expect-error a number where the column has 64 bits
db.insert('Box', { count: 5 });
// @ts-expect-error outside the enumeration
db.insert('Box', { size: 'medium' });
// @ts-expect-error a row of another table
db.insert('Box', { items: [box] });
// @ts-expect-error any string is not a uuid
db.insert('Box', { favourite: 'x' });
// @ts-expect-error the uuid is not a column to write
db.insert('Box', { _uuid: box });
// @ts-expect-error the reference of an insert into another table
db.insert('Box', { items: [db.insert('Box', {}).ref] });
// @ts-expect-error a map's values
nb.insert('Logical_Switch_Port', { options: { 'requested-chassis': 1 } });

// Updates and mutations.
db.update('Box', [['serial', '==', 'a']], { level: 3, sealed: undefined });
// @ts-expect-error immutable column
db.update('Box', [], { serial: 'b' });
// @ts-expect-error wrong type in a condition
db.update('Box', [['level', '==', 'a']], { level: 1 });
// @ts-expect-error wrong column in a condition
db.delete('Box', [['colour', '==', 'a']]);
// @ts-expect-error strings have no order
db.delete('Box', [['serial', '<', 'a']]);
db.mutate(
  'Box',
  [],
  [
    ['level', '+=', 1],
    ['tags', 'insert', ['a']],
    ['labels', 'delete', ['a']],
    ['labels', 'insert', { a: 'b' }],
    ['totals', '*=', 2n],
  ],
);
// @ts-expect-error immutable column
db.mutate('Box', [], [['serial', 'insert', 'a']]);
// @ts-expect-error a set has no arithmetic of strings
db.mutate('Box', [], [['tags', '+=', 'a']]);
// @ts-expect-error a number takes no insert
db.mutate('Box', [], [['level', 'insert', 1]]);
// @ts-expect-error wrong type of an element
db.mutate('Box', [], [['tags', 'insert', [1]]]);

// Names of tables and of the database that would be one.
const collisions = client.typed(sameNames);
collisions.insert('Same_Name', { table: 'x' });
collisions.insert('SameName', { other: 'x' });
collisions.insert('Port_Insert', { b: 'x' });
collisions.insert('readonly_map', { d: { key: 'value' } });
// @ts-expect-error a column of the other table
collisions.insert('Port', { b: 'x' });
// @ts-expect-error the database is no table
collisions.insert('Same_NameDatabase', {});
holds<Equal<SameNames.SameNameDatabase['Same_Name']['row'], SameNames.Same_Name>>();
holds<Equal<SameNames.SameNameDatabase['SameName']['row'], SameNames.SameName>>();
holds<Equal<SameNames.Uuid_['_uuid'], Uuid<'Uuid'>>>();

// Results.
export async function results(): Promise<void> {
  const [id, rows, count] = await db.transact([
    db.insert('Box', {}),
    db.select('Box', [], ['serial', 'tags']),
    db.delete('Item', []),
    db.comment('done'),
  ]);
  holds<Equal<typeof id, Uuid<'Box'>>>();
  holds<Equal<typeof rows, Pick<Box, 'serial' | 'tags'>[]>>();
  holds<Equal<typeof count, number>>();
  // @ts-expect-error a column that was not asked for
  rows[0]?.level;
  // @ts-expect-error wrong column
  db.select('Box', [], ['colour']);
}

// Caches.
export async function caches(): Promise<void> {
  await using cache = db.cache({ Box: { columns: ['serial'] }, Item: {} });
  const row = cache.tables.Box.get(box);
  holds<Equal<typeof row, Pick<Box, 'serial' | '_uuid'> | undefined>>();
  // @ts-expect-error a table that is not held
  cache.tables.Shelf;
  // @ts-expect-error the uuid of a row of another table
  cache.tables.Box.get(item);
  // @ts-expect-error wrong column
  db.cache({ Box: { columns: ['colour'] } });
  for await (const [change] of cache) {
    if (change?.table === 'Item') holds<Equal<typeof change.uuid, Uuid<'Item'>>>();
  }
}
