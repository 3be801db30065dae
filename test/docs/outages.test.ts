/** The table of outages says which test keeps each away; it must not say so of a test that is not there, or is not run. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { titlesIn } from './titles.ts';

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', 'test', 'lab', 'explore'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file.endsWith('.ts'));

const rows = readFileSync('docs/outages.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| known as') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, known = '', , kept = '']) => ({ known, kept }));

/** Titles are quoted after the file that they are in; `…` stands for what is left out. */
function quotedIn(cell: string): { file: string; titles: string[] }[] {
  const quotes: { file: string; titles: string[] }[] = [];
  for (const [, file, title] of cell.matchAll(/`([\w./-]+\.ts)`|"([^"]+)"/g)) {
    if (file) quotes.push({ file, titles: [] });
    else if (title) quotes.at(-1)?.titles.push(title);
  }
  return quotes;
}

function titlesOf(file: string): string[] {
  const [found, another] = files.filter((one) => one === file || basename(one) === file);
  if (found === undefined) throw new Error(`There is no ${file}.`);
  if (another !== undefined) throw new Error(`${file} may be ${found} or ${another}: name its folder.`);
  return titlesIn(readFileSync(found, 'utf8'));
}

/** Whether it is the title, but for what is left out. */
function isQuoted(title: string, quote: string): boolean {
  return quote.split('…').every((part) => title.includes(part.trim()));
}

test('the table is read', () => {
  expect(rows.length).toBeGreaterThan(15);
});

describe.each(rows)('$known', ({ kept }) => {
  test('names a test', () => {
    expect(quotedIn(kept).some(({ titles }) => titles.length > 0)).toBe(true);
  });

  test.each(quotedIn(kept))('$file is there, and so is each title that is quoted of it', ({ file, titles }) => {
    const run = titlesOf(file);
    expect(titles.filter((quote) => !run.some((title) => isQuoted(title, quote)))).toEqual([]);
  });
});

test('a test that is skipped, alone or with all around it, keeps nothing away', () => {
  const source = `
    test('runs', () => {});
    test.each([1])('runs for %s', () => {});
    test.skip('is skipped', () => {});
    test.todo('is to be written');
    describe.skip('all of these', () => { it('is skipped with them', () => {}); });
    const scenario = { name: 'is a scenario', play() {} };
    // test('is a comment', () => {});
  `;
  expect(titlesIn(source)).toEqual(['runs', 'runs for %s', 'is a scenario']);
});
