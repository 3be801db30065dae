import type { Operation, WireRow } from '../../../src/index.ts';
import type { Case } from '../case.ts';

const ref = (refTable: string, refType: 'strong' | 'weak') => ({ type: 'uuid', refTable, refType });
const many = (key: unknown) => ({ type: { key, min: 0, max: 'unlimited' } });
const tables = {
  Shelf: {
    isRoot: true,
    indexes: [['name'], ['row', 'place']],
    columns: {
      name: { type: 'string' },
      row: { type: 'integer' },
      place: { type: 'integer' },
      books: many(ref('Book', 'strong')),
      favourite: { type: { key: ref('Book', 'weak'), min: 0 } },
    },
  },
  Book: {
    columns: { title: { type: 'string' }, sequel: { type: { key: ref('Book', 'strong'), min: 0 } } },
  },
  Card: {
    isRoot: true,
    maxRows: 2,
    columns: { books: { type: { key: ref('Book', 'weak'), min: 1, max: 3 } } },
  },
};

const shelf = (row: WireRow): Operation => ({ op: 'insert', table: 'Shelf', row });
const book = (title: string, name: string, row: WireRow = {}): Operation => ({
  op: 'insert',
  table: 'Book',
  row: { title, ...row },
  'uuid-name': name,
});
const named = (name: string) => ['named-uuid', name] as const;
const titles: Operation = { op: 'select', table: 'Book', where: [], columns: ['title'] };
const id = (n: number) => ({ uuid: ['uuid', `<${n}>`] as const });

export const integrityCases: Case[] = [
  {
    name: 'a value of an index is used once, and free again within the transaction that deletes its row',
    tables,
    steps: [
      { do: [shelf({ name: 'a', place: 1 })], gives: [id(0)] },
      { do: [shelf({ name: 'a', place: 2 })], fails: { index: 1, tag: 'constraint violation' } },
      {
        do: [{ op: 'delete', table: 'Shelf', where: [] }, shelf({ name: 'a', place: 2 })],
        gives: [{ count: 1 }, id(1)],
      },
    ],
  },
  {
    name: 'an index of several columns compares them together',
    tables,
    steps: [
      {
        do: [
          shelf({ name: 'a', row: 1, place: 1 }),
          shelf({ name: 'b', row: 1, place: 2 }),
          shelf({ name: 'c', row: 2, place: 1 }),
        ],
        gives: [id(0), id(1), id(2)],
      },
      { do: [shelf({ name: 'd', row: 2, place: 1 })], fails: { index: 1, tag: 'constraint violation' } },
    ],
  },
  {
    name: 'two rows may exchange their values of an index within one transaction',
    tables,
    steps: [
      { do: [shelf({ name: 'a', place: 1 }), shelf({ name: 'b', place: 2 })], gives: [id(0), id(1)] },
      {
        do: [
          { op: 'update', table: 'Shelf', where: [['_uuid', '==', ['uuid', '<0>']]], row: { name: 'b' } },
          { op: 'update', table: 'Shelf', where: [['_uuid', '==', ['uuid', '<1>']]], row: { name: 'a' } },
        ],
        gives: [{ count: 1 }, { count: 1 }],
      },
    ],
  },
  {
    name: 'a row of a table that is no root vanishes when nothing refers to it',
    tables,
    steps: [
      { do: [book('lost', 'lost')], gives: [id(0)] },
      { do: [titles], gives: [{ rows: [] }] },
    ],
  },
  {
    name: 'a strong reference keeps its row, and its end takes the row away',
    tables,
    steps: [
      { do: [shelf({ name: 'a', books: named('b') }), book('kept', 'b')], gives: [id(0), id(1)] },
      { do: [titles], gives: [{ rows: [{ title: 'kept' }] }] },
      {
        do: [{ op: 'mutate', table: 'Shelf', where: [], mutations: [['books', 'delete', ['uuid', '<1>']]] }],
        gives: [{ count: 1 }],
      },
      { do: [titles], gives: [{ rows: [] }] },
    ],
  },
  {
    name: 'a row that is strongly referred to cannot be deleted alone',
    tables,
    steps: [
      { do: [shelf({ name: 'a', books: named('b') }), book('kept', 'b')], gives: [id(0), id(1)] },
      { do: [{ op: 'delete', table: 'Book', where: [] }], fails: { index: 1, tag: 'referential integrity violation' } },
      {
        do: [
          { op: 'delete', table: 'Book', where: [] },
          { op: 'delete', table: 'Shelf', where: [] },
        ],
        gives: [{ count: 1 }, { count: 1 }],
      },
    ],
  },
  {
    name: 'a strong reference to no row is rejected',
    tables,
    steps: [
      {
        do: [shelf({ name: 'a', books: ['uuid', '550e8400-e29b-41d4-a716-446655440000'] })],
        fails: { index: 1, tag: 'referential integrity violation' },
      },
    ],
  },
  {
    name: 'a name that no insert of the transaction has refers to no row',
    tables,
    steps: [
      {
        do: [shelf({ name: 'a', books: named('nobody') })],
        fails: { index: 1, tag: 'referential integrity violation' },
      },
    ],
  },
  {
    name: 'a chain of strong references is kept as a whole and goes as a whole',
    tables,
    steps: [
      {
        do: [
          shelf({ name: 'a', books: named('one') }),
          book('one', 'one', { sequel: named('two') }),
          book('two', 'two'),
        ],
        gives: [id(0), id(1), id(2)],
      },
      { do: [titles], gives: [{ rows: [{ title: 'one' }, { title: 'two' }] }] },
      { do: [{ op: 'delete', table: 'Shelf', where: [] }], gives: [{ count: 1 }] },
      { do: [titles], gives: [{ rows: [] }] },
    ],
  },
  {
    name: 'a weak reference does not keep its row and is emptied with it',
    tables,
    steps: [
      {
        do: [shelf({ name: 'a', books: named('b'), favourite: named('b') }), book('b', 'b')],
        gives: [id(0), id(1)],
      },
      { do: [{ op: 'update', table: 'Shelf', where: [], row: { books: ['set', []] } }], gives: [{ count: 1 }] },
      {
        do: [titles, { op: 'select', table: 'Shelf', where: [], columns: ['favourite'] }],
        gives: [{ rows: [] }, { rows: [{ favourite: ['set', []] }] }],
      },
    ],
  },
  {
    name: 'the end of the last weak reference of a column that needs one is rejected',
    tables,
    steps: [
      {
        do: [
          shelf({ name: 'a', books: named('b') }),
          book('b', 'b'),
          { op: 'insert', table: 'Card', row: { books: named('b') } },
        ],
        gives: [id(0), id(1), id(2)],
      },
      {
        do: [{ op: 'delete', table: 'Shelf', where: [] }],
        fails: { index: 1, tag: 'constraint violation' },
      },
    ],
  },
  {
    name: 'a table takes no more rows than its maximum',
    tables: { Single: { isRoot: true, maxRows: 1, columns: { name: { type: 'string' } } } },
    steps: [
      { do: [{ op: 'insert', table: 'Single', row: {} }], gives: [id(0)] },
      { do: [{ op: 'insert', table: 'Single', row: {} }], fails: { index: 1, tag: 'constraint violation' } },
      {
        do: [
          { op: 'delete', table: 'Single', where: [] },
          { op: 'insert', table: 'Single', row: {} },
        ],
        gives: [{ count: 1 }, id(1)],
      },
    ],
  },
];
