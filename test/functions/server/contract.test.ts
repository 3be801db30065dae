import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WISHES } from './support/contract-function.ts';
import { Served } from './support/served.ts';

const MODULE = fileURLToPath(new URL('support/contract-function.ts', import.meta.url));
const EVENT = {
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': '/test',
  'ce-type': 'test.asked',
  'ce-time': '2026-11-30T12:00:00Z',
};
const JSON_BODY = { 'content-type': 'application/json' };

let ours: Served;
let funcs: Served;
beforeAll(async () => {
  ours = await Served.start('ours', MODULE);
  funcs = await Served.start("func's", MODULE);
}, 150_000);
afterAll(() => Promise.all([ours, funcs].map((each) => each?.[Symbol.asyncDispose]())));

/** What a caller sees of an answer: neither CORS, which ours has none of, nor the type of no body. */
async function seen({ url }: Served, request: RequestInit & { readonly path?: string }) {
  const response = await fetch(`${url}${request.path ?? '/'}`, request);
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const named = [...response.headers].filter(([name]) => /^(ce-|x-)/.test(name) || (name === 'content-type' && body));
  // The time at which it is made.
  return { status: response.status, body, headers: Object.fromEntries(named.filter(([name]) => name !== 'ce-time')) };
}

const post = (headers: Record<string, string>, body: string): RequestInit => ({ method: 'POST', headers, body });

describe("our server answers as func's does", () => {
  const returns = WISHES.filter((wish) => !/error|rejection|HTTP/.test(wish));
  test.each(returns)('when a function returns %s', async (wish) => {
    const request = post({ ...JSON_BODY, ...EVENT, 'x-wish': wish }, '{"order":7}');
    expect(await seen(ours, request)).toEqual(await seen(funcs, request));
  });

  const structured = JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', data: { order: 7 } });
  test.each<[string, RequestInit & { path?: string }]>([
    ['a structured event', post({ 'content-type': 'application/cloudevents+json', 'x-wish': 'event' }, structured)],
    ['JSON that is no event', post(JSON_BODY, '{"order":7}')],
    ['a text', post({ 'content-type': 'text/plain' }, 'hello')],
    ['bytes', post({ 'content-type': 'application/octet-stream' }, 'hello')],
    ['a GET', { headers: { accept: 'text/html' } }],
    ['a query', { path: '/?order=7&how=%C3%A4' }],
    ['the probe of liveness', { path: '/health/liveness' }],
    ['the probe of readiness', { path: '/health/readiness' }],
  ])('to %s', async (_, request) => {
    const expected = await seen(funcs, request);
    expect(expected.status).toBe(200);
    expect(await seen(ours, request)).toEqual(expected);
  });

  test.each(['an error', 'a rejection', 'a header that HTTP does not have'])(
    'with status 500 to %s, and goes on',
    async (wish) => {
      const request = post({ ...JSON_BODY, ...EVENT, 'x-wish': wish }, '{}');
      for (const server of [ours, funcs]) expect((await seen(server, request)).status).toBe(500);
      expect((await seen(ours, {})).status).toBe(200);
    },
  );

  test('with status 404 elsewhere', async () => {
    for (const server of [ours, funcs]) {
      expect((await seen(server, { path: '/x' })).status).toBe(404);
      expect((await seen(server, { path: '//' })).status).toBe(404);
    }
  });

  test('with status 413 to what is longer than it takes, and goes on', async () => {
    const request = post({ ...JSON_BODY, ...EVENT }, JSON.stringify('x'.repeat(1024 * 1024)));
    for (const server of [ours, funcs]) expect((await seen(server, request)).status).toBe(413);
    expect((await seen(ours, {})).status).toBe(200);
  });
});

test('a call that is broken off does not end the process, and what is no HTTP is answered with 400', async () => {
  const port = Number(new URL(ours.url).port);
  const broken = connect(port, '127.0.0.1');
  broken.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"ord');
  await once(broken, 'connect');
  await new Promise((sent) => broken.write('er', sent));
  broken.destroy();
  const noise = connect(port, '127.0.0.1');
  noise.write('\x16\x03\x01\r\n\r\n');
  expect(String((await once(noise, 'data'))[0])).toMatch(/^HTTP\/1.1 400 /);
  expect((await seen(ours, {})).status).toBe(200);
});

test('the log is JSON with the level, the time and the line', () => {
  for (const server of [ours, funcs]) {
    const lines = server.output.split('\n').filter((line) => line.includes('"msg":"called"'));
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 30,
      time: expect.any(Number),
      pid: server.child.pid,
      msg: 'called',
    });
  }
});

test('SIGTERM while a request is under way: it is answered, no other is taken for ready, and the status is 0', async () => {
  await using ending = await Served.start('ours', MODULE);
  const call = connect(Number(new URL(ending.url).port), '127.0.0.1');
  call.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nx-wish: text\r\ncontent-length: 2\r\n\r\na');
  while (!/faas_invocations\{.*\} 1/.test(await (await fetch(`${ending.url}/metrics`)).text()));
  ending.child.kill('SIGTERM');
  while ((await fetch(`${ending.url}/health/readiness`)).ok);
  const exit = once(ending.child, 'exit');
  call.write('b');
  expect(String((await once(call, 'data'))[0])).toContain('so be it');
  expect(await exit).toEqual([0, null]);
}, 60_000);
