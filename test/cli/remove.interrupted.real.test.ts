/**
 * remove from each overlay at each moment of a migration that succeeds or fails, killed at random again and again, and then left
 * to end: nothing is left, and the port was never bound away from the guest.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { EXIT, type ExitStatus } from '../../cli/errors.ts';
import type { Installed } from './support/installed.ts';
import { OVERLAYS } from './support/overlay.ts';
import { expectNothingLeft, installedWithVm, MOMENTS, Play } from './support/removal.ts';

jest.setTimeout(600_000);

/** It is killed after so many lines of what it does, or sooner where it has to wait. */
const MAX_LINES = 6;
const KILLED_WITHIN_MS = 8_000;
const FAILS_BEFORE = MOMENTS.indexOf('has switched');

const random = (below: number) => Math.floor(Math.random() * below);

const cases = MOMENTS.flatMap((moment, index) => [
  { moment, index, ending: 'succeeds' },
  ...(index < FAILS_BEFORE ? [{ moment, index, ending: 'fails' }] : []),
]).map((one, number) => ({ ...one, overlay: OVERLAYS[number % OVERLAYS.length]! }));

test.each(cases)('from $overlay, begun when a migration $moment that $ending', async ({ index, ending, overlay }) => {
  await using installed = await installedWithVm(overlay);
  const play = new Play(installed);
  const cutOff: string[] = [];
  await using _watch = await installed.nb.watch('Logical_Switch_Port', ['name', 'options'], ({ options }) => {
    const requested = new Map((options as ['map', [string, string][]])[1]).get('requested-chassis') ?? '';
    if (requested !== '' && !requested.split(',').includes(play.guestOn)) cutOff.push(`${requested}, ${play.guestOn}`);
  });
  await play.through(MOMENTS.slice(0, index + 1));
  const ahead = MOMENTS.slice(index + 1);
  const failsAfter = random(Math.max(FAILS_BEFORE - index, 1));
  const killed: string[] = [];
  for (const name of ending === 'fails' ? ahead.slice(0, failsAfter) : ahead) {
    killed.push(await removeUntilKilled(installed));
    await play.through([name]);
  }
  killed.push(await removeUntilKilled(installed));
  if (ending === 'fails') {
    await play.fail();
    killed.push(await removeUntilKilled(installed), await removeUntilKilled(installed));
  }
  const said: string[] = [];
  let status: ExitStatus = EXIT.unfinished;
  for (let runs = 0; status !== EXIT.ok && runs < 5; runs++) {
    const ran = await installed.cli('remove', '--yes', '--timeout', '120');
    status = ran.status;
    said.push(`${status}: ${ran.err.split('\n').at(-1)}`);
  }
  expect({ status, killed, said }).toEqual({ status: EXIT.ok, killed, said });
  await expectNothingLeft(installed);
  expect(cutOff).toEqual([]);
});

/** Runs it in a process of its own, and kills that. @returns what it said last */
async function removeUntilKilled({ kubeconfig }: Installed): Promise<string> {
  const args = ['--conditions=ovn-handover-source', '--no-warnings', 'cli/main.ts', 'remove', '--yes'];
  const env = { PATH: process.env.PATH, KUBECONFIG: kubeconfig };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const ended = once(child, 'exit');
  const lines = await someLines(child);
  await Promise.race([ended, sleep(random(300))]);
  child.kill('SIGKILL');
  await ended;
  return lines.at(-1) ?? 'nothing';
}

/** Resolves after a random number of lines. */
async function someLines(child: ChildProcess): Promise<readonly string[]> {
  const wanted = 1 + random(MAX_LINES);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr! });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, KILLED_WITHIN_MS);
    reader.on('line', (line) => {
      lines.push(line);
      if (lines.length >= wanted) resolve();
    });
    child.once('exit', () => resolve());
    reader.once('close', () => clearTimeout(timer));
  });
  return lines;
}
