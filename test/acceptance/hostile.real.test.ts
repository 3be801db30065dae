import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

/** `npm run hostile` sends more of them, others with `--seed`. */
const EVENTS = 4000;

test(`${EVENTS} hostile events: each is rejected or nothing to do, OVN does not change, and the functions go on`, () => {
  const script = fileURLToPath(new URL('hostile-main.ts', import.meta.url));
  const args = ['--conditions=ovn-handover-source', '--no-warnings', script, '--events', String(EVENTS)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 180_000,
  });
  expect({ status, stderr, verdict: stdout.trim().split('\n').at(-1), stdout }).toMatchObject({
    status: 0,
    stderr: '',
    verdict: 'PASS',
  });
}, 200_000);
