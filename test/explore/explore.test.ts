import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const MAIN = fileURLToPath(new URL('../../explore/main.ts', import.meta.url));
const MINUTES_MS = 60_000;

/** Runs the explorer as a person would: it replaces the clock of its process, and loads the code without a guard. */
async function explore(...options: string[]) {
  const child = spawn(process.execPath, ['--conditions=source', '--no-warnings', MAIN, ...options], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { output, code: code as number | null, verdict: output.trim().split('\n').at(-1) };
}

// Always the same ones here; `npm run explore -- --seed N` looks for new ones.
test(
  'no schedule breaks a promise',
  async () => {
    const { output, code } = await explore('--schedules', '2000', '--seed', '1');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/^PASSED /m) });
  },
  3 * MINUTES_MS,
);

describe('without a guard some schedule does, and its story is told', () => {
  test.each(['row-read-first', 'wait', 'shelf-life', 'uid-checks', 'late-path', 'end-in-row'])(
    '%s',
    async (guard) => {
      const { output, code, verdict } = await explore('--schedules', '8000', '--without', guard);
      expect({ code, verdict }).toEqual({ code: 1, verdict: expect.stringMatching(/^FAILED {2}seed \d+: /) });
      expect(output).toMatch(/^ +[0-9.]+ s {2}vm0 is to migrate/m);
      expect(output).toMatch(/^ += {2}\S/m);
    },
    3 * MINUTES_MS,
  );

  test('a guard that there is none of is named', async () => {
    const { code } = await explore('--schedules', '1', '--without', 'luck');
    expect(code).toBe(1);
  });
});
