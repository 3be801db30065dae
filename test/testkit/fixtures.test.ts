import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('no fixture is there twice, and all are in one folder', () => {
  const files = globSync('testkit/fixtures/**/*.json');
  const contents = Map.groupBy(files, (file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
  expect(files.length).toBeGreaterThan(30);
  expect([...contents.values()].filter((same) => same.length > 1)).toEqual([]);
  expect(globSync('{lab,bench,test}/**/fixtures/*.json', { exclude: ['**/node_modules'] })).toEqual([]);
});
