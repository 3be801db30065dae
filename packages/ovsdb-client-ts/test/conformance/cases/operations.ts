import type { Operation } from '../../../src/index.ts';
import type { Case } from '../case.ts';

const tables = {
  Digit: {
    isRoot: true,
    columns: { number: { type: 'integer' }, word: { type: 'string' } },
  },
};
const digit = (number: number, word: string): Operation => ({ op: 'insert', table: 'Digit', row: { number, word } });
const all: Operation = { op: 'select', table: 'Digit', where: [], columns: ['number', 'word'] };
const threeDigits = {
  do: [digit(0, 'zero'), digit(1, 'one'), digit(2, 'two')],
  gives: [{ uuid: ['uuid', '<0>'] }, { uuid: ['uuid', '<1>'] }, { uuid: ['uuid', '<2>'] }],
} satisfies Case['steps'][number];
const zero = { number: 0, word: 'zero' };
const one = { number: 1, word: 'one' };
const two = { number: 2, word: 'two' };

export const operationCases: Case[] = [
  {
    name: 'insert without values gives every column its default',
    tables,
    steps: [
      { do: [{ op: 'insert', table: 'Digit', row: {} }], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [{ op: 'select', table: 'Digit', where: [], columns: ['_uuid', 'number', 'word'] }],
        gives: [{ rows: [{ _uuid: ['uuid', '<0>'], number: 0, word: '' }] }],
      },
    ],
  },
  {
    name: 'select without columns gives all of them, with _uuid and _version',
    tables,
    steps: [
      { do: [digit(1, 'one')], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [{ op: 'select', table: 'Digit', where: [] }],
        gives: [{ rows: [{ _uuid: ['uuid', '<0>'], _version: ['uuid', '<1>'], number: 1, word: 'one' }] }],
      },
    ],
  },
  {
    name: 'select by value finds the rows that match every condition',
    tables,
    steps: [
      threeDigits,
      {
        do: [
          { op: 'select', table: 'Digit', where: [['word', '==', 'one']], columns: ['number'] },
          { op: 'select', table: 'Digit', where: [['number', '>=', 1]], columns: ['number'] },
          {
            op: 'select',
            table: 'Digit',
            where: [
              ['number', '>', 0],
              ['word', '!=', 'two'],
            ],
            columns: ['number'],
          },
          { op: 'select', table: 'Digit', where: [['number', '<', 0]], columns: ['number'] },
        ],
        gives: [
          { rows: [{ number: 1 }] },
          { rows: [{ number: 1 }, { number: 2 }] },
          { rows: [{ number: 1 }] },
          { rows: [] },
        ],
      },
    ],
  },
  {
    name: 'a row is found by the name of its insert within the transaction',
    tables,
    steps: [
      {
        do: [
          { op: 'insert', table: 'Digit', row: one, 'uuid-name': 'first' },
          digit(2, 'two'),
          { op: 'select', table: 'Digit', where: [['_uuid', '==', ['named-uuid', 'first']]], columns: ['word'] },
        ],
        gives: [{ uuid: ['uuid', '<0>'] }, { uuid: ['uuid', '<1>'] }, { rows: [{ word: 'one' }] }],
      },
    ],
  },
  {
    name: 'update overwrites the given columns of the rows that match and counts them',
    tables,
    steps: [
      threeDigits,
      {
        do: [{ op: 'update', table: 'Digit', where: [['number', '>=', 1]], row: { word: 'many' } }, all],
        gives: [{ count: 2 }, { rows: [zero, { number: 1, word: 'many' }, { number: 2, word: 'many' }] }],
      },
    ],
  },
  {
    name: 'update of nothing counts 0 and is no error',
    tables,
    steps: [{ do: [{ op: 'update', table: 'Digit', where: [], row: { word: 'x' } }], gives: [{ count: 0 }] }],
  },
  {
    name: 'mutate calculates with each matching row',
    tables,
    steps: [
      threeDigits,
      {
        do: [
          { op: 'mutate', table: 'Digit', where: [['number', '>', 0]], mutations: [['number', '+=', 10]] },
          {
            op: 'mutate',
            table: 'Digit',
            where: [['word', '==', 'two']],
            mutations: [
              ['number', '*=', 3],
              ['number', '-=', 1],
              ['number', '%=', 10],
            ],
          },
          all,
        ],
        gives: [{ count: 2 }, { count: 1 }, { rows: [zero, { number: 11, word: 'one' }, { number: 5, word: 'two' }] }],
      },
    ],
  },
  {
    name: 'mutate rejects a division by zero',
    tables,
    steps: [
      threeDigits,
      {
        do: [{ op: 'mutate', table: 'Digit', where: [], mutations: [['number', '/=', 0]] }],
        fails: { index: 0, tag: 'domain error' },
      },
    ],
  },
  {
    name: 'mutate rejects an integer overflow',
    tables,
    steps: [
      { do: [{ op: 'insert', table: 'Digit', row: { number: 2n ** 63n - 1n } }], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [{ op: 'mutate', table: 'Digit', where: [], mutations: [['number', '+=', 1]] }],
        fails: { index: 0, tag: 'range error' },
      },
    ],
  },
  {
    name: 'delete by uuid, by value, of nothing and of everything',
    tables,
    steps: [
      threeDigits,
      {
        do: [{ op: 'delete', table: 'Digit', where: [['_uuid', '==', ['uuid', '<0>']]] }, all],
        gives: [{ count: 1 }, { rows: [one, two] }],
      },
      {
        do: [{ op: 'delete', table: 'Digit', where: [['word', '==', 'one']] }, all],
        gives: [{ count: 1 }, { rows: [two] }],
      },
      {
        do: [{ op: 'delete', table: 'Digit', where: [['word', '==', 'nine']] }, all],
        gives: [{ count: 0 }, { rows: [two] }],
      },
      { do: [{ op: 'delete', table: 'Digit', where: [] }, all], gives: [{ count: 1 }, { rows: [] }] },
    ],
  },
  {
    name: 'a failed operation undoes the ones before it',
    tables,
    steps: [
      { do: [digit(1, 'one'), { op: 'abort' }, digit(2, 'two')], fails: { index: 1, tag: 'aborted' } },
      { do: [all], gives: [{ rows: [] }] },
    ],
  },
  {
    name: 'comment and commit do nothing to the rows',
    tables,
    steps: [
      {
        do: [digit(1, 'one'), { op: 'comment', comment: 'why' }, { op: 'commit', durable: false }],
        gives: [{ uuid: ['uuid', '<0>'] }, {}, {}],
      },
      { do: [digit(2, 'two'), { op: 'commit', durable: true }], gives: [{ uuid: ['uuid', '<1>'] }, {}] },
      { do: [all], gives: [{ rows: [one, two] }] },
    ],
  },
  {
    name: 'assert fails without the lock',
    tables,
    steps: [{ do: [{ op: 'assert', lock: 'nobody' }], fails: { index: 0, tag: 'not owner' } }],
  },
  {
    name: 'an unknown table is a syntax error of its operation, an unknown column an error of its own',
    tables,
    steps: [
      { do: [all, { op: 'select', table: 'Letter', where: [] }], fails: { index: 1, tag: 'syntax error' } },
      { do: [{ op: 'insert', table: 'Digit', row: { letter: 'a' } }], fails: { index: 0, tag: 'unknown column' } },
      {
        do: [{ op: 'select', table: 'Digit', where: [['letter', '==', 'a']] }],
        fails: { index: 0, tag: 'unknown column' },
      },
    ],
  },
  {
    name: 'insert takes the uuid it is given, once',
    tables,
    steps: [
      {
        do: [{ op: 'insert', table: 'Digit', row: one, uuid: '550e8400-e29b-41d4-a716-446655440000' }],
        gives: [{ uuid: ['uuid', '<0>'] }],
      },
      {
        do: [
          {
            op: 'select',
            table: 'Digit',
            where: [['_uuid', '==', ['uuid', '550e8400-e29b-41d4-a716-446655440000']]],
            columns: ['word'],
          },
        ],
        gives: [{ rows: [{ word: 'one' }] }],
      },
      {
        do: [{ op: 'insert', table: 'Digit', row: two, uuid: '550e8400-e29b-41d4-a716-446655440000' }],
        fails: { index: 0, tag: 'duplicate uuid' },
      },
    ],
  },
  {
    name: 'a name of an insert is used once',
    tables,
    steps: [
      {
        do: [
          { op: 'insert', table: 'Digit', row: one, 'uuid-name': 'same' },
          { op: 'insert', table: 'Digit', row: two, 'uuid-name': 'same' },
        ],
        fails: { index: 1, tag: 'duplicate uuid-name' },
      },
    ],
  },
];
