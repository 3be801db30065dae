import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { CloudEvent } from 'cloudevents';
import { eventOf, type HttpMessage, parseResourceEvent } from '../src/index.ts';
import { ATTRIBUTES, ENCODINGS, OBJECT } from './support/encodings.ts';
import { SENDABLE, send } from './support/send.ts';

it('has 60 encodings', () => {
  expect(new Set(ENCODINGS.map(([name]) => name)).size).toBe(60);
});

function expectTheEvent(event: CloudEvent<unknown>): void {
  const { datacontenttype: _type, time, ...rest } = event.toJSON();
  expect(rest).toEqual({ ...ATTRIBUTES, data: OBJECT, time: undefined });
  expect(Date.parse(String(time))).toBe(Date.parse(ATTRIBUTES.time));
  const { id, source, subject } = ATTRIBUTES;
  expect(parseResourceEvent(event)).toEqual({ action: 'add', id, source, subject, object: OBJECT });
}

it.each(ENCODINGS)('one event is read the same in any encoding: %s', (_, message) => {
  expectTheEvent(eventOf(message));
});

let server: Server;
let received: HttpMessage | undefined;
beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    received = { headers: incoming.headers, body: await buffer(incoming) };
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

it.each(SENDABLE)('one event is read the same when it came over HTTP: %s', async (_, message) => {
  const response = await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, message);
  response.resume();
  expectTheEvent(eventOf(received!));
});
