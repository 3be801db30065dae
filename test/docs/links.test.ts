/** What pages lead to is there: links to files, and the files and folders that are named in them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { commandsIn } from './blocks.ts';

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(page));
const OURS = /^(?:functions|handover|packages|schemas|eventing|explore|lab|testkit|test|bench|docs|scripts)\//;

test('there are pages for a new colleague, and commands in them', () => {
  expect(pages).toEqual(expect.arrayContaining(['CONTRIBUTING.md', 'SECURITY.md', 'docs/architecture.md']));
  expect(commandsIn('CONTRIBUTING.md').length).toBeGreaterThan(5);
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  test('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to]) => to!);
    const local = links.filter((to) => !/^[a-z]+:/.test(to));
    expect(local.filter((to) => !existsSync(join(dirname(page), to)))).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const named = [...text.matchAll(/`([\w./-]+)`/g)].map(([, name]) => name!).filter((name) => OURS.test(name));
    const made = /^lab\/(?:out|run|\.cache)\b|^dist\//;
    const missing = named.filter(
      (name) => !made.test(name) && !existsSync(name) && !existsSync(join(dirname(page), name)),
    );
    expect(missing).toEqual([]);
  });
});
