import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PingSource, parsePingSource } from '../../../lab/knative/ping-source.ts';

const MANIFEST = {
  apiVersion: 'sources.knative.dev/v1',
  kind: 'PingSource',
  metadata: { name: 'reconcile', namespace: 'ovn-handover' },
  spec: {
    schedule: '* * * * * *',
    sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'migrations' } },
  },
};

test('sends a ping event at each tick of its schedule, with the attributes of the real one', async () => {
  const server = createServer((_request, response) => response.writeHead(202).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sink = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = new PingSource(parsePingSource(MANIFEST), { sink, journal: () => {} });
  source.start();
  const [{ headers }] = (await once(server, 'request')) as [IncomingMessage];
  await source.stop();
  server.close();
  expect(headers).toMatchObject({
    'ce-type': 'dev.knative.sources.ping',
    'ce-source': '/apis/v1/namespaces/ovn-handover/pingsources/reconcile',
    'ce-specversion': '1.0',
  });
  // Without data there is no type of it: a function answers 400 to empty JSON.
  expect(headers).not.toHaveProperty('content-type');
  expect(headers).toMatchObject({ 'content-length': '0' });
});

test('rejects what it cannot do, by name', () => {
  const manifest = { ...MANIFEST, spec: { ...MANIFEST.spec, timezone: 'Europe/Berlin' } };
  expect(() => parsePingSource(manifest)).toThrow("PingSource ovn-handover/reconcile: spec: 'timezone' is not known");
});
