import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { QmpClient, QmpCommandError, QmpConnectionError, type QmpEvent } from '../../../lab/guest/qmp.ts';
import { hasEnded } from '../../../lab/testbed/command.ts';

let directory: string;
let path: string;
let qemu: ChildProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
  path = join(directory, 'qmp.sock');
  const machine = ['-nodefaults', '-nographic', '-machine', 'none'];
  qemu = spawn('qemu-system-x86_64', [...machine, '-qmp', `unix:${path},server=on,wait=off`], { stdio: 'inherit' });
});

afterEach(async () => {
  if (!hasEnded(qemu)) {
    const exit = once(qemu, 'exit');
    qemu.kill('SIGKILL');
    await exit;
  }
  await rm(directory, { recursive: true });
});

async function connected(): Promise<QmpClient> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await QmpClient.connect(path);
    } catch (error) {
      if (attempt > 200) throw error;
      await sleep(50);
    }
  }
}

test('commands sent at once get each its own answer', async () => {
  const qmp = await connected();
  const answers = await Promise.all([
    qmp.execute<{ status: string }>('query-status'),
    qmp.execute<{ qemu: { major: number } }>('query-version'),
    qmp.execute('query-name'),
  ]);
  expect(answers[0].status).toMatch(/running|prelaunch/);
  expect(answers[2]).toEqual({});
  qmp.close();
});

test('QEMU is of a version that does not damage a migrating guest', async () => {
  const qmp = await connected();
  const { qemu: version } = await qmp.execute<{ qemu: { major: number } }>('query-version');
  expect(version.major).toBeGreaterThanOrEqual(10);
  qmp.close();
});

test('a command that QEMU rejects is an error with its reason, and the next command works', async () => {
  const qmp = await connected();
  await expect(qmp.execute('no-such-command')).rejects.toMatchObject({
    name: 'QmpCommandError',
    errorClass: 'CommandNotFound',
    message: expect.stringContaining("'no-such-command'"),
  });
  await expect(qmp.execute('migrate', {})).rejects.toThrow(QmpCommandError);
  await expect(qmp.execute('query-name')).resolves.toEqual({});
  qmp.close();
});

test("events come with QEMU's time", async () => {
  const qmp = await connected();
  expect(qmp.lastAt('STOP')).toBeUndefined();
  const stopped = once(qmp, 'event') as Promise<[QmpEvent]>;
  await qmp.execute('stop');
  const [event] = await stopped;
  expect(event).toMatchObject({ event: 'STOP', data: {} });
  expect(Math.abs(event.at - Date.now())).toBeLessThan(60_000);
  expect(qmp.lastAt('STOP')).toBe(event.at);
  qmp.close();
});

test('a command that waits for its answer when QEMU dies is rejected, and each later one too', async () => {
  const qmp = await connected();
  const closed = once(qmp, 'close');
  qemu.kill('SIGSTOP');
  const waiting = qmp.execute('query-status');
  qemu.kill('SIGKILL');
  await expect(waiting).rejects.toThrow(QmpConnectionError);
  await closed;
  await expect(qmp.execute('query-status')).rejects.toThrow('was not sent');
});

test('where nobody listens there is no connection', async () => {
  await expect(QmpClient.connect(join(directory, 'nobody.sock'))).rejects.toThrow('nobody listens there');
});
