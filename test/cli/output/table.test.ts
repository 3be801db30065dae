import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ago } from '../../../cli/output/ago.ts';
import { table } from '../../../cli/output/table.ts';
import { indent, widthOf, wrap } from '../../../cli/output/wrap.ts';

const plain = (columns: number) => ({ columns, hasColour: false, print() {}, progress() {} });
const words = fc.array(fc.stringMatching(/^[a-z/.,→-]{1,30}$/), { maxLength: 8 }).map((all) => all.join(' '));

describe('wrap', () => {
  test('keeps every letter, and makes no line wider than it may be', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 40 }), (text, width) => {
        const lines = wrap(text, width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('indents every line of a text', () => {
    expect(indent('one two three', '  ', 9)).toBe('  one two\n  three');
  });
});

describe('table', () => {
  test('is no wider than the terminal as long as every column has room for its heading', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(words, words, words), { minLength: 1, maxLength: 5 }), (rows) => {
        const cells = rows.map((row) => row.map((text) => ({ text })));
        for (const columns of [40, 80, 120]) {
          const lines = table(['VM', 'NODE', 'PORT'], cells, plain(columns)).split('\n');
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  test('says the same with colour and without', () => {
    const rows = [[{ text: 'web-01', colour: 'red' as const }, { text: 'worker-a' }]];
    const coloured = table(['VM', 'NODE'], rows, { ...plain(80), hasColour: true });
    expect(coloured).toContain('\u001b[31m');
    expect(stripVTControlCharacters(coloured)).toBe(table(['VM', 'NODE'], rows, plain(80)));
  });

  test('lines up what goes on in the next line', () => {
    const rows = [[{ text: 'a' }, { text: 'one two three four five six' }, { text: 'end' }]];
    expect(table(['VM', 'WHAT', 'RIGHT'], rows, plain(24))).toBe(
      ['VM  WHAT           RIGHT', 'a   one two three  end', '    four five six'].join('\n'),
    );
  });
});

describe('where there is no room for all columns', () => {
  const headings = ['VM', 'NODE', 'PORT', 'RIGHT'];
  const cells = (...texts: string[]) => texts.map((text) => ({ text }));
  const rows = [
    cells('prod/order-database', 'worker-a → worker-b', 'order-database.prod', 'yes'),
    cells('', '', 'order-database.prod.tenant-a', 'yes'),
    cells('prod/web-01', '-', '-', 'no'),
  ];

  test('each row is a block of its own, and no name is in shreds', () => {
    expect(table(headings, rows, plain(40))).toBe(
      [
        'prod/order-database',
        '  NODE   worker-a → worker-b',
        '  PORT   order-database.prod',
        '  RIGHT  yes',
        '  PORT   order-database.prod.tenant-a',
        '  RIGHT  yes',
        'prod/web-01',
        '  RIGHT  no',
      ].join('\n'),
    );
    expect(table(headings, rows, plain(80)).split('\n')[0]).toMatch(/^VM +NODE +PORT +RIGHT$/);
  });
});

test.each([
  [900, '0 s'],
  [61_000, '1 min'],
  [7_200_000, '2 h'],
  [200_000_000, '2 d'],
  [-5_000, '0 s'],
])('%s ms ago is %s', (ms, text) => {
  expect(ago(new Date(1_000_000_000_000 - ms).toISOString(), 1_000_000_000_000)).toBe(text);
});
