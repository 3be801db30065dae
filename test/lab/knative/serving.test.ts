import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import { type Answer, postEvent } from '../../../lab/knative/post-event.ts';
import { startServing } from './support/functions.ts';
import { until } from './support/until.ts';

jest.setTimeout(60_000);

let running: Awaited<ReturnType<typeof startServing>> | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function serve(options: { idle: number; env?: Record<string, string> }) {
  running = await startServing(options);
  return running;
}

const send = (url: string, type: string): Promise<Answer> =>
  postEvent(url, new CloudEvent({ type, source: '/test', data: {} }), { signal: AbortSignal.timeout(30_000) });
const pidOf = ({ body }: Answer): number => JSON.parse(body).pid;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a function behind the activator', () => {
  it('is started by the first request, once for all that come meanwhile', async () => {
    const { url, journal } = await serve({ idle: 60_000 });
    const answers = await Promise.all([send(url, 'who'), send(url, 'who'), send(url, 'who')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(pidOf)).size).toBe(1);
    expect(journal).toEqual([{ kind: 'coldStart', function: 'greet', ms: expect.any(Number) }]);
  });

  it('has the settings of its func.yaml, and those given over them', async () => {
    const { url, stop } = await serve({ idle: 60_000 });
    expect(JSON.parse((await send(url, 'who')).body).greeting).toBe('hello');
    await stop();
    running = await startServing({ idle: 60_000, env: { GREETING: 'servus' } });
    expect(JSON.parse((await send(running.url, 'who')).body).greeting).toBe('servus');
  });

  it('takes an event without data, which has no content type either', async () => {
    const { url } = await serve({ idle: 60_000 });
    const withoutData = new CloudEvent({ type: 'who', source: '/test' });
    expect(await postEvent(url, withoutData, { signal: AbortSignal.timeout(30_000) })).toMatchObject({ status: 200 });
  });

  it('answers through the activator as by itself', async () => {
    const { url } = await serve({ idle: 60_000 });
    const { status, headers, body } = await send(url, 'any');
    expect({ status, retryAfter: headers.get('retry-after'), body }).toEqual({
      status: 503,
      retryAfter: '1',
      body: 'not today',
    });
    expect((await send(url, 'who')).headers.get('ce-type')).toBe('me');
  });

  it('is ended when nothing comes, and started again by the next request', async () => {
    const { url, journal } = await serve({ idle: 50 });
    const first = pidOf(await send(url, 'who'));
    await until('it is ended', () => journal.some(({ kind }) => kind === 'ended'));
    expect(isAlive(first)).toBe(false);
    expect(pidOf(await send(url, 'who'))).not.toBe(first);
    expect(journal.map(({ kind }) => kind)).toEqual(['coldStart', 'ended', 'coldStart']);
  });

  it('is not ended while it works', async () => {
    const { url } = await serve({ idle: 50 });
    expect((await send(url, 'slow')).status).toBe(204);
  });

  it('costs the request that it dies of a 502, and is started again by the next one', async () => {
    const { url, journal } = await serve({ idle: 60_000 });
    expect((await send(url, 'crash')).status).toBe(502);
    await until('its end is known', () => journal.some(({ kind }) => kind === 'ended'));
    expect((await send(url, 'who')).status).toBe(200);
    expect(journal.map(({ kind, body }) => [kind, body])).toEqual([
      ['coldStart', undefined],
      ['ended', 'exit code 7'],
      ['coldStart', undefined],
    ]);
  });

  it('that does not come up is a 503 that says so, and its output is kept', async () => {
    const { url, output } = await serve({ idle: 60_000, env: { BROKEN: 'yes' } });
    const { status, body } = await send(url, 'who');
    expect(status).toBe(503);
    expect(body).toMatch(/^the function ended before it was ready: exit code/);
    expect(output()).toContain('the settings are wrong');
  });

  it('ends with the activator', async () => {
    const { url, serving } = await serve({ idle: 60_000 });
    const pid = pidOf(await send(url, 'who'));
    await serving.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('is not left behind when the activator is killed', async () => {
    const program = fileURLToPath(new URL('support/serve.ts', import.meta.url));
    const directory = await mkdtemp(join(tmpdir(), 'knative-test-'));
    const child = spawn(process.execPath, ['--conditions=ovn-handover-source', program], {
      env: { ...process.env, NODE_OPTIONS: '', TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = await once(createInterface(child.stdout), 'line');
    expect(isAlive(Number(pid))).toBe(true);
    child.kill('SIGKILL');
    await until('the function is gone', () => !isAlive(Number(pid)));
    await rm(directory, { recursive: true });
  });

  it('is not there under another name', async () => {
    const { serving } = await serve({ idle: 60_000 });
    expect(() => serving.urlOf({ namespace: 'shop', name: 'great' })).toThrow(
      'Service shop/great: no functions/*/func.yaml has this name; known are shop/greet',
    );
  });
});
