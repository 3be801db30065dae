import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { locked } from '../../../../lab/cluster/build/lock.ts';

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../../lab/cluster/build/lock.ts')).href;

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
  file = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

async function isFreeWithin(ms: number): Promise<boolean> {
  const lock = locked(file);
  const isFree = await Promise.race([lock.then(() => true), sleep(ms, false, { ref: false })]);
  void lock.then((held) => held[Symbol.asyncDispose]());
  return isFree;
}

test('a lock is had by one at a time, and by the next when it is given back', async () => {
  const first = await locked(file);
  const second = locked(file);
  expect(await Promise.race([second, sleep(200, 'waits')])).toBe('waits');
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
});

test('a lock is free again when the process that has it is killed', async () => {
  const program = `import { locked } from '${MODULE}'; await locked('${file}'); console.log('locked'); setInterval(() => {}, 1e6);`;
  const holder = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  expect(await isFreeWithin(200)).toBe(false);
  holder.kill('SIGKILL');
  expect(await isFreeWithin(5_000)).toBe(true);
});
