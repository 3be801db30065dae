import type { Operation } from '../../../src/index.ts';
import type { Case } from '../case.ts';

const tables = {
  Digit: {
    isRoot: true,
    columns: { number: { type: 'integer' }, word: { type: 'string' } },
  },
};
const digit = (number: number, word: string): Operation => ({ op: 'insert', table: 'Digit', row: { number, word } });
const _all: Operation = { op: 'select', table: 'Digit', where: [], columns: ['number', 'word'] };
const threeDigits = {
  do: [digit(0, 'zero'), digit(1, 'one'), digit(2, 'two')],
  gives: [{ uuid: ['uuid', '<0>'] }, { uuid: ['uuid', '<1>'] }, { uuid: ['uuid', '<2>'] }],
} satisfies Case['steps'][number];
const zero = { number: 0, word: 'zero' };
const one = { number: 1, word: 'one' };
const two = { number: 2, word: 'two' };

export const waitCases: Case[] = [
  ...waits('==', [
    ['the very rows', [zero, one, two], true],
    ['the rows in another order', [two, zero, one], true],
    ['one row too many', [zero, one, two, { number: 3, word: 'three' }], false],
    ['one row too few', [zero, one], false],
  ]),
  ...waits('!=', [
    ['the very rows', [zero, one, two], false],
    ['one row too many', [zero, one, two, { number: 3, word: 'three' }], true],
    ['one row too few', [zero, one], true],
  ]),
  {
    name: 'wait looks only at the rows that match and the columns it names',
    tables,
    steps: [
      threeDigits,
      {
        do: [
          {
            op: 'wait',
            table: 'Digit',
            where: [['number', '==', 2]],
            columns: ['word'],
            until: '==',
            rows: [{ word: 'two' }],
            timeout: 0,
          },
          {
            op: 'wait',
            table: 'Digit',
            where: [['number', '==', 9]],
            columns: ['word'],
            until: '==',
            rows: [],
            timeout: 0,
          },
        ],
        gives: [{}, {}],
      },
    ],
  },
  {
    name: 'wait sees what earlier operations of its transaction did',
    tables,
    steps: [
      {
        do: [
          digit(1, 'one'),
          {
            op: 'wait',
            table: 'Digit',
            where: [],
            columns: ['number'],
            until: '==',
            rows: [{ number: 1 }],
            timeout: 0,
          },
        ],
        gives: [{ uuid: ['uuid', '<0>'] }, {}],
      },
    ],
  },
];

function waits(until: '==' | '!=', expectations: [string, { number: number; word: string }[], boolean][]): Case[] {
  return expectations.map(([what, rows, holds]) => {
    const wait: Operation = {
      op: 'wait',
      table: 'Digit',
      where: [],
      columns: ['number', 'word'],
      until,
      rows,
      timeout: 0,
    };
    const step = holds ? { do: [wait], gives: [{}] } : { do: [wait], fails: { index: 0, tag: 'timed out' } };
    return {
      name: `wait until ${until} with ${what} ${holds ? 'holds' : 'fails'}`,
      tables,
      steps: [threeDigits, step],
    };
  });
}
