import { once } from 'node:events';
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { forward } from '../../../../lab/cluster/knative/network/proxy.ts';

const split = { serviceNamespace: 'prod', serviceName: 'web', servicePort: 80 };

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => server.close().closeAllConnections() };
}

/** A proxy that sends everything to one port, and what became of each request. */
async function proxyTo(port: number) {
  const ends: Promise<unknown>[] = [];
  const server = await serve((incoming, response) => {
    const way = { split, headers: { 'K-Serving': 'yes', host: 'rewritten' } };
    const end = forward(incoming, response, way, { address: '127.0.0.1', port });
    ends.push(end.catch((error) => error));
    end.catch(() => response.destroy());
  });
  return { ...server, ends };
}

test('A request arrives whole, with its headers and those of the way, and its answer comes back as it was given.', async () => {
  using backend = await serve(async (incoming, response) => {
    const { host, 'k-serving': serving, 'ce-id': id } = incoming.headers;
    response
      .writeHead(503, { 'retry-after': '2' })
      .end(JSON.stringify({ host, serving, id, body: await text(incoming) }));
  });
  using proxy = await proxyTo(backend.port);
  const url = `http://127.0.0.1:${proxy.port}/`;
  const answer = await fetch(url, { method: 'POST', headers: { 'ce-id': '1' }, body: 'x'.repeat(1_000_000) });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('2');
  expect(await answer.json()).toEqual({ host: 'rewritten', serving: 'yes', id: '1', body: 'x'.repeat(1_000_000) });
  expect(await Promise.all(proxy.ends)).toEqual([503]);
});

test('An endpoint that nobody listens at is an error.', async () => {
  const { port, ...closed } = await serve(() => {});
  closed[Symbol.dispose]();
  using proxy = await proxyTo(port);
  await expect(fetch(`http://127.0.0.1:${proxy.port}/`)).rejects.toThrow();
  expect(await proxy.ends[0]).toMatchObject({ code: 'ECONNREFUSED' });
});

test('Whoever asked and went away takes the request at the endpoint along.', async () => {
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  using backend = await serve((incoming) => {
    arrived.resolve();
    incoming.socket.once('close', () => gone.resolve());
  });
  using proxy = await proxyTo(backend.port);
  const asked = request({ port: proxy.port, host: '127.0.0.1' });
  asked.on('error', () => {});
  asked.end();
  await arrived.promise;
  asked.destroy();
  await gone.promise;
});
