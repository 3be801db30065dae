import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

test('the generated types and validators are those of the schemas', () => {
  const root = new URL('../../', import.meta.url);
  const check = spawnSync(process.execPath, ['scripts/generate.ts', '--check'], { cwd: root, encoding: 'utf8' });
  expect({ status: check.status, stderr: check.stderr }).toEqual({ status: 0, stderr: '' });
});
