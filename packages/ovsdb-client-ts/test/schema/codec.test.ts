import fc from 'fast-check';
import { NamedUuid } from '../../src/index.ts';
import { makeCodec } from '../../src/schema/codec.ts';
import { makeLimitCheck } from '../../src/schema/limits.ts';
import { type ColumnType, enumValues, fitsNumber, type Shape, shapeOf } from '../../src/schema/schema.ts';
import { TableCodec } from '../../src/typed/table-codec.ts';
import { parseJson, stringifyParams } from '../../src/wire/json.ts';
import type { WireRow, WireValue } from '../../src/wire/types.ts';
import { schema } from '../generated/inventory.ts';
import { numRuns } from '../support/runs.ts';

const ID = '550e8400-e29b-41d4-a716-446655440000';
const codec = new TableCodec(schema, 'Box');
const columns = Object.entries(schema.tables.Box!.columns);
const rows = fc.record(Object.fromEntries(columns.map(([name, { type }]) => [name, valuesOf(shapeOf(type))])));

function atomsOf(base: Shape['key']): fc.Arbitrary<unknown> {
  if (base.enum !== undefined) return fc.constantFrom(...enumValues(base.enum));
  switch (base.type) {
    case 'integer':
      return fitsNumber(base)
        ? fc.integer({ min: Number(base.minInteger), max: Number(base.maxInteger) })
        : fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'real':
      // JSON has no negative zero.
      return fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value) => (Math.abs(value) > 1e-307 && Math.abs(value) < 1e308 ? value : 0));
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));
    case 'uuid':
      return fc.uuid();
  }
}

function valuesOf(shape: Shape): fc.Arbitrary<unknown> {
  const atoms = atomsOf(shape.key);
  switch (shape.kind) {
    case 'scalar':
      return atoms;
    case 'optional':
      return fc.option(atoms, { nil: undefined });
    case 'set':
      return fc.uniqueArray(atoms);
    case 'map':
      return fc.array(fc.tuple(atoms, atomsOf(shape.value))).map((entries) => new Map(entries));
  }
}

/** The same value the way a server writes it: a set of one is its element. */
function asServer(row: WireRow): WireRow {
  const entries = Object.entries(row).map(([name, value]) => {
    const isSetOfOne = Array.isArray(value) && value[0] === 'set' && value[1].length === 1;
    return [name, isSetOfOne ? (value[1] as WireValue[])[0] : value];
  });
  return Object.fromEntries(entries);
}

it('brings any row to the wire and back', () => {
  const decode = codec.rowDecoder(columns.map(([name]) => name));
  fc.assert(
    fc.property(rows, (row) => {
      const [wire] = parseJson(stringifyParams([codec.encodeRow(row)])) as [WireRow];
      expect(decode(wire)).toEqual(row);
      expect(decode(asServer(wire))).toEqual(row);
    }),
    { numRuns },
  );
}, 600_000);

it('applies the differences of sets and maps that a server sends', () => {
  const tags = makeCodec({ key: 'string', min: 0, max: 'unlimited' });
  const labels = makeCodec({ key: 'string', value: 'string', min: 0, max: 'unlimited' });
  const set = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
  const map = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
    .map((o) => new Map(Object.entries(o)));
  fc.assert(
    fc.property(set, set, map, map, (oldSet, newSet, oldMap, newMap) => {
      const setDiff = [...new Set(oldSet).symmetricDifference(new Set(newSet))];
      expect(new Set(tags.applyDiff(oldSet, ['set', setDiff]) as string[])).toEqual(new Set(newSet));
      const added = [...newMap].filter(([key, value]) => oldMap.get(key) !== value);
      const removed = [...oldMap].filter(([key]) => !newMap.has(key));
      expect(labels.applyDiff(oldMap, ['map', [...added, ...removed]])).toEqual(newMap);
    }),
    { numRuns },
  );
}, 600_000);

it('gives columns that the server left out their empty value', () => {
  expect(codec.rowDecoder(columns.map(([name]) => name))({})).toEqual({
    serial: '',
    size: '',
    level: 0,
    count: 0n,
    weight: 0,
    sealed: undefined,
    tags: [],
    totals: [],
    labels: new Map(),
    slots: new Map(),
    items: [],
    favourite: undefined,
  });
});

it('writes references to rows of the same transaction by their names', () => {
  expect(codec.encodeRow({ items: [new NamedUuid('row1')], favourite: new NamedUuid('row2') })).toEqual({
    items: ['set', [['named-uuid', 'row1']]],
    favourite: ['named-uuid', 'row2'],
  });
});

it.each([
  [{ colour: 'red' }, 'Table Box has no column colour'],
  [{ level: '3' }, 'Column level of table Box: expected an integer and got "3"'],
  [{ tags: 'x' }, 'Column tags of table Box: expected an array and got "x"'],
  [{ labels: ['x'] }, 'Column labels of table Box: expected a map or an object and got ["x"]'],
  [{ level: 11 }, 'Column level of table Box: expected 0 to 10 and got 11'],
  [{ size: 'medium' }, 'Column size of table Box: expected one of large, small and got medium'],
  [{ slots: new Map([[8, ID]]) }, 'Column slots of table Box: expected 0 to 7 and got 8'],
])('rejects %j and names the column', (row, message) => {
  expect(() => codec.encodeRow(row)).toThrow(expect.objectContaining({ code: 'OVSDB_SCHEMA', message }));
});

it.each([
  [{ key: { type: 'string', minLength: 2, maxLength: 2 } }, '\u{1f4e6}x', 'x'],
  [{ key: { type: 'real', minReal: 0.5 } }, 0.5, 0.4],
  [{ key: { type: 'integer', minInteger: 1 }, min: 0 }, 1n, 0n],
  [{ key: { type: 'integer', enum: ['set', [1, 2n ** 62n]] } }, 2n ** 62n, 3n],
  [{ key: 'string', min: 1, max: 2 }, ['a'], []],
  [{ key: 'string', min: 1, max: 2 }, ['a', 'b'], ['a', 'b', 'c']],
  [{ key: 'string', value: 'string', min: 0, max: 1 }, {}, { a: 'b', c: 'd' }],
  [{ key: 'string', value: { type: 'integer', maxInteger: 5 }, max: 'unlimited' }, { a: 5n }, { a: 6n }],
] as [ColumnType, unknown, unknown][])('knows what a column of type %o allows', (type, allowed, other) => {
  const check = makeLimitCheck(type);
  expect(() => check(allowed)).not.toThrow();
  expect(() => check(other)).toThrow(/^expected /);
});

it('does not hold values of conditions and mutations against the limits of the column', () => {
  expect(codec.encodeWhere([['level', '<', 11]])).toEqual([['level', '<', 11]]);
  expect(codec.encodeMutations([['level', '-=', 20]])).toEqual([['level', '-=', 20]]);
});

it('rejects to change an immutable column', () => {
  expect(() => codec.encodeUpdate({ serial: 'x' })).toThrow('Column serial of table Box cannot be changed');
});
