import type { Operation, WireRow } from '../../../src/index.ts';
import type { Case } from '../case.ts';

const tables = {
  Limited: {
    isRoot: true,
    columns: {
      bounded: { type: { key: { type: 'integer', minInteger: -1, maxInteger: 10 } } },
      ratio: { type: { key: { type: 'real', minReal: 0, maxReal: 1 } } },
      short: { type: { key: { type: 'string', maxLength: 3 } } },
      colour: { type: { key: { type: 'string', enum: ['set', ['', 'red', 'green']] } } },
      pair: { type: { key: 'integer', min: 0, max: 2 } },
      fixed: { type: 'string', mutable: false },
      labels: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
    },
  },
};

const insert = (row: WireRow): Operation => ({ op: 'insert', table: 'Limited', row });
const select = (column: string): Operation => ({ op: 'select', table: 'Limited', where: [], columns: [column] });
const mutate = (...mutations: (Operation & { op: 'mutate' })['mutations']): Operation => ({
  op: 'mutate',
  table: 'Limited',
  where: [],
  mutations,
});

function rejected(name: string, row: WireRow, tag = 'constraint violation'): Case {
  return { name, tables, steps: [{ do: [insert(row)], fails: { index: 0, tag } }] };
}

function kept(name: string, column: string, written: WireRow[string], read: WireRow[string] = written): Case {
  return {
    name,
    tables,
    steps: [
      { do: [insert({ [column]: written })], gives: [{ uuid: ['uuid', '<0>'] }] },
      { do: [select(column)], gives: [{ rows: [{ [column]: read }] }] },
    ],
  };
}

export const constraintCases: Case[] = [
  rejected('an integer above its maximum is rejected', { bounded: 11 }),
  rejected('an integer below its minimum is rejected', { bounded: -2 }),
  rejected('a real above its maximum is rejected', { ratio: 1.5 }),
  rejected('a string above its length is rejected', { short: 'long' }),
  rejected('a value outside the enumeration is rejected', { colour: 'blue' }),
  rejected('a value of another type is a syntax error', { bounded: 'one' }, 'syntax error'),
  rejected('more elements than the maximum are a syntax error', { pair: ['set', [1, 2, 3]] }, 'syntax error'),
  rejected('an element twice in a set is an error', { pair: ['set', [1, 1]] }, 'ovsdb error'),
  rejected(
    'a key twice in a map is an error',
    {
      labels: [
        'map',
        [
          ['a', 1],
          ['a', 2],
        ],
      ],
    },
    'ovsdb error',
  ),
  kept('the length of a string counts characters, not bytes', 'short', 'äöü'),
  kept('a set of one reads back as its element', 'pair', ['set', [7]], 7),
  kept('a set of none stays a set', 'pair', ['set', []]),
  kept('a set reads back sorted', 'pair', ['set', [9, -9]], ['set', [-9, 9]]),
  kept(
    'a map reads back sorted by its keys',
    'labels',
    [
      'map',
      [
        ['b', 2],
        ['a', 1],
      ],
    ],
    [
      'map',
      [
        ['a', 1],
        ['b', 2],
      ],
    ],
  ),
  kept('the largest integer stays exact', 'pair', ['set', [-(2n ** 63n), 2n ** 63n - 1n]]),
  {
    name: 'an update is held to the limits like an insert',
    tables,
    steps: [
      { do: [insert({ bounded: 1 })], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [{ op: 'update', table: 'Limited', where: [], row: { bounded: 100 } }],
        fails: { index: 0, tag: 'constraint violation' },
      },
      { do: [mutate(['bounded', '+=', 10])], fails: { index: 0, tag: 'constraint violation' } },
      { do: [select('bounded')], gives: [{ rows: [{ bounded: 1 }] }] },
    ],
  },
  {
    name: 'an immutable column cannot be updated or mutated',
    tables,
    steps: [
      { do: [insert({ fixed: 'for ever' })], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [{ op: 'update', table: 'Limited', where: [], row: { fixed: 'changed' } }],
        fails: { index: 0, tag: 'constraint violation' },
      },
      { do: [select('fixed')], gives: [{ rows: [{ fixed: 'for ever' }] }] },
    ],
  },
  {
    name: 'mutate inserts into a map only the keys that are not there, and deletes by key or by pair',
    tables,
    steps: [
      {
        do: [
          insert({
            labels: [
              'map',
              [
                ['a', 1],
                ['b', 2],
                ['c', 3],
              ],
            ],
          }),
        ],
        gives: [{ uuid: ['uuid', '<0>'] }],
      },
      {
        do: [
          mutate([
            'labels',
            'insert',
            [
              'map',
              [
                ['a', 10],
                ['d', 4],
              ],
            ],
          ]),
          select('labels'),
        ],
        gives: [
          { count: 1 },
          {
            rows: [
              {
                labels: [
                  'map',
                  [
                    ['a', 1],
                    ['b', 2],
                    ['c', 3],
                    ['d', 4],
                  ],
                ],
              },
            ],
          },
        ],
      },
      {
        do: [
          mutate(
            ['labels', 'delete', ['set', ['a']]],
            [
              'labels',
              'delete',
              [
                'map',
                [
                  ['b', 20],
                  ['c', 3],
                ],
              ],
            ],
          ),
          select('labels'),
        ],
        gives: [
          { count: 1 },
          {
            rows: [
              {
                labels: [
                  'map',
                  [
                    ['b', 2],
                    ['d', 4],
                  ],
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  {
    name: 'mutate inserts into a set, deletes from it and calculates with its elements',
    tables,
    steps: [
      { do: [insert({ pair: ['set', []] })], gives: [{ uuid: ['uuid', '<0>'] }] },
      {
        do: [
          mutate(['pair', 'insert', ['set', [1, 2]]], ['pair', 'delete', 1], ['pair', 'insert', 5]),
          mutate(['pair', '*=', 2]),
          select('pair'),
        ],
        gives: [{ count: 1 }, { count: 1 }, { rows: [{ pair: ['set', [4, 10]] }] }],
      },
      { do: [mutate(['pair', 'insert', 11])], fails: { index: 0, tag: 'constraint violation' } },
    ],
  },
  {
    name: 'includes and excludes compare sets and maps in part',
    tables,
    steps: [
      {
        do: [insert({ bounded: 1, pair: ['set', [1, 2]], labels: ['map', [['a', 1]]] })],
        gives: [{ uuid: ['uuid', '<0>'] }],
      },
      {
        do: [
          { op: 'select', table: 'Limited', where: [['pair', 'includes', 1]], columns: ['bounded'] },
          { op: 'select', table: 'Limited', where: [['pair', 'excludes', ['set', [2, 3]]]], columns: ['bounded'] },
          {
            op: 'select',
            table: 'Limited',
            where: [['labels', 'includes', ['map', [['a', 1]]]]],
            columns: ['bounded'],
          },
          {
            op: 'select',
            table: 'Limited',
            where: [['labels', 'excludes', ['map', [['a', 2]]]]],
            columns: ['bounded'],
          },
        ],
        gives: [{ rows: [{ bounded: 1 }] }, { rows: [] }, { rows: [{ bounded: 1 }] }, { rows: [{ bounded: 1 }] }],
      },
    ],
  },
];
