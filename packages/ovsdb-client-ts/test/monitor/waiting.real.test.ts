import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError, OutcomeUnknownError } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { HoldingProxy } from '../support/holding-proxy.ts';
import { Inventory } from '../support/inventory.ts';
import { until } from '../support/until.ts';

const NOWHERE = 'unix:/nonexistent/socket';

async function firstEvent(events: AsyncIterable<unknown>): Promise<unknown> {
  for await (const event of events) return event;
  return undefined;
}

it('a cache and a monitor say within their limit that there is no server, and why', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client({ remote: NOWHERE });
  const cache = client.typed(schema).cache({ Box: {} }, { timeoutMs: 200 });
  await expect(cache.ready).rejects.toBeInstanceOf(ConnectError);
  await expect(cache.ready).rejects.toThrow(/200 ms passed.*ENOENT/);
  await expect(firstEvent(client.monitor({ Box: {} }, { timeoutMs: 200 }))).rejects.toThrow(ConnectError);
});

it('a cache and a monitor take the limit of the client when they are given none', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client({ database: 'Inventry', requestTimeoutMs: 200 });
  await expect(firstEvent(client.monitor({ Box: {} }))).rejects.toThrow('it has no database Inventry');
});

it('a cache that is told to waits for a server as long as it takes', async () => {
  await using inventory = await Inventory.start();
  await inventory.server.kill();
  await using client = inventory.client({ requestTimeoutMs: 50 });
  await using cache = client.typed(schema).cache({ Box: {} }, { timeoutMs: Number.POSITIVE_INFINITY });
  await sleep(300);
  await inventory.server.start();
  await cache.ready;
});

it('a signal ends the wait for a server, and that for the contents', async () => {
  await using inventory = await Inventory.start();
  await using proxy = await HoldingProxy.start(inventory.remote);
  await using client = inventory.client({ remote: NOWHERE });
  const db = client.typed(schema);
  const noServer = db.cache({ Box: {} }, { signal: AbortSignal.timeout(100) });
  await expect(noServer.ready).rejects.toBeInstanceOf(ConnectError);
  proxy.held = 'monitor_cond_since';
  await using behind = inventory.client({ remote: proxy.remote });
  const noContents = behind.typed(schema).cache({ Box: {} }, { signal: AbortSignal.timeout(300) });
  await expect(noContents.ready).rejects.toBeInstanceOf(OutcomeUnknownError);
});

it('failed attempts to reach a server are published', async () => {
  await using inventory = await Inventory.start();
  const messages: unknown[] = [];
  const listen = (message: unknown) => messages.push(message);
  subscribe('ovsdb-client-ts:session', listen);
  await using client = inventory.client({ remote: NOWHERE });
  await expect(client.echo([], { timeoutMs: 100 })).rejects.toBeInstanceOf(ConnectError);
  unsubscribe('ovsdb-client-ts:session', listen);
  expect(messages).toContainEqual({
    event: 'failed',
    remote: NOWHERE,
    database: 'Inventory',
    reason: expect.objectContaining({ message: expect.stringContaining('ENOENT') }),
  });
});

it('a cache goes on after reconnects that were slower than the contents may take', async () => {
  await using inventory = await Inventory.start();
  await using proxy = await HoldingProxy.start(inventory.remote);
  await using writer = inventory.client();
  await using client = inventory.client({ remote: proxy.remote, snapshotTimeoutMs: 100 });
  const db = client.typed(schema);
  await using cache = db.cache({ Box: { columns: ['serial'] } });
  await cache.ready;
  proxy.held = 'monitor_cond_since';
  proxy.cut();
  await until(() => !cache.isLive);
  await sleep(700);
  proxy.release();
  await writer.transact([{ op: 'insert', table: 'Box', row: { serial: 'after', size: 'small' } }]);
  await until(() => cache.isLive && cache.tables.Box.size === 1);
});
