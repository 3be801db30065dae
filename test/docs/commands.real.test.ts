/** What pages tell a new colleague to type is typed here, in a fresh clone, page by page and in order. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandsIn } from './blocks.ts';

const PAGES = ['CONTRIBUTING.md', 'SECURITY.md', 'docs/architecture.md'];
const WITHIN_MS = 600_000;
let clone: string;

/** A clone of what is here, committed or not, in a path with a blank. */
beforeAll(() => {
  clone = join(mkdtempSync(join(tmpdir(), 'handover-')), 'a clone');
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' });
  git('clone', '--quiet', '--depth', '1', `file://${process.cwd()}`, clone);
  const changed = git('ls-files', '-z', '--modified', '--others', '--exclude-standard', '--deduplicate').split('\0');
  const deleted = git('ls-files', '-z', '--deleted').split('\0');
  for (const file of changed.filter(Boolean)) {
    if (deleted.includes(file)) rmSync(join(clone, file));
    else cpSync(file, join(clone, file));
  }
  const inClone = (...args: string[]) => git('-C', clone, '-c', 'user.name=test', '-c', 'user.email=test', ...args);
  inClone('add', '--all');
  inClone('commit', '--quiet', '--allow-empty', '--message', 'as it is here');
}, 60_000);

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

describe.each(PAGES)('%s', (page) => {
  test(
    'has commands that do what it says, and leave the clone as it was',
    () => {
      const script = ['set -euo pipefail', ...commandsIn(page)].join('\n');
      // Neither jest's own settings nor this project's programs: a reader has Node.js and npm.
      const { NODE_OPTIONS: _, JEST_WORKER_ID: __, NODE_ENV: ___, ...env } = process.env;
      const path = env.PATH!.split(delimiter).filter((folder) => !folder.includes(`node_modules${'/'}.bin`));
      const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
        ...{ cwd: clone, encoding: 'utf8', timeout: WITHIN_MS, maxBuffer: 64 * 1024 * 1024 },
        env: { ...env, PATH: path.join(delimiter) },
      });
      expect({ status, end: status === 0 ? '' : `${stdout.slice(-3_000)}\n${stderr.slice(-3_000)}` }).toEqual({
        status: 0,
        end: '',
      });
      expect(execFileSync('git', ['-C', clone, 'status', '--short'], { encoding: 'utf8' })).toBe('');
    },
    WITHIN_MS,
  );
});
