import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { GUARDS } from '../../explore/guards.ts';

const MAIN = fileURLToPath(new URL('../../explore/main.ts', import.meta.url));
const MINUTES_MS = 60_000;

/** Runs the explorer as a person would: it replaces the clock of its process, and loads the code without a guard. */
async function explore(...options: string[]) {
  const child = spawn(process.execPath, ['--conditions=ovn-handover-source', '--no-warnings', MAIN, ...options], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { output, code: code as number | null, last: output.trim().split('\n').at(-1) };
}

// Always the same ones here; `npm run explore -- --seed N` looks for new ones.
test(
  'no schedule breaks an invariant, and every point is covered',
  async () => {
    const { output, code } = await explore('--schedules', '2000', '--seed', '1');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/^PASSED /m) });
    expect(output).not.toMatch(/^None came across/m);
  },
  3 * MINUTES_MS,
);

// From the seed of each guard it looks on until it finds a schedule: other code or another model has other ones.
test(
  'without any one guard some schedule breaks an invariant',
  async () => {
    const { output, code, last } = await explore('--guards');
    expect({ code, last }).toEqual({
      code: 0,
      last: expect.stringMatching(/^PASSED {2}each of \d+ guards is missed$/),
    });
    for (const guard of Object.keys(GUARDS))
      expect(output).toMatch(new RegExp(`^${guard} +seed \\d+, schedule \\d+: `, 'm'));
  },
  15 * MINUTES_MS,
);

test(
  'the schedule that does is made shorter and printed as a story',
  async () => {
    // Many a schedule breaks an invariant without this one: it takes a few dozens to come to one.
    const { output, code, last } = await explore('--without', 'uid-of-state');
    expect({ code, last }).toEqual({ code: 1, last: expect.stringMatching(/^FAILED {2}seed \d+: \S/) });
    expect(output).toMatch(/^ +[0-9.]+ s {2}vm\d is to migrate/m);
    expect(output).toMatch(/^ += {2}\S/m);
  },
  3 * MINUTES_MS,
);

test('an unknown guard is an error', async () => {
  const { code } = await explore('--schedules', '1', '--without', 'luck');
  expect(code).toBe(1);
});
