/** The guide says what there is: commands, options, and the sections that doctor sends its reader to. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { programFor } from '../../cli/program.ts';
import { anchorsOf, cliCommands, shellBlocks } from './support/guide.ts';

const program = programFor({ columns: 80, hasColour: false, print() {}, progress() {} }, {}, () => {});

test('every link of a finding leads to a section that is there', () => {
  const links = globSync('cli/doctor/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'((?:docs|eventing)\/[\w-]+\.md)#([\w-]+)'/g)].map(([, page, anchor]) => ({
      page: page!,
      anchor: anchor!,
    })),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ page, anchor }) => !anchorsOf(page).includes(anchor))).toEqual([]);
});

test('every command of ours is in the guide, and the guide has no other', () => {
  const named = new Set(cliCommands().map(([name]) => name!));
  const own = program.commands.map((command) => command.name());
  expect([...named].filter((name) => !name.startsWith('-')).sort()).toEqual([...own].sort());
});

test('every option of npm run deploy in the guide is one that it has', () => {
  const used = shellBlocks()
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('npm run deploy'))
    .flatMap((line) => [...line.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option!));
  const script = readFileSync('scripts/deploy.ts', 'utf8');
  expect(used.length).toBeGreaterThan(2);
  expect(used.filter((option) => !new RegExp(`ption\\('${option}[ ']`).test(script))).toEqual([]);
});
