import { channel, tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { schema as southbound } from '../src/generated/ovn-sb.ts';
import {
  type Operation,
  OutcomeUnknownError,
  OvsdbClient,
  retryGuarded,
  SchemaError,
  TransactionError,
} from '../src/index.ts';
import { TestServer } from '../src/test-server/test-server.ts';
import { schema } from './generated/inventory.ts';
import { Inventory } from './support/inventory.ts';
import { until } from './support/until.ts';

const comment: Operation = { op: 'comment', comment: 'x' };

describe('a client', () => {
  it('tells when its server comes, goes, and cannot be reached', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const up = once(client.events, 'up');
    await client.echo([]);
    expect(await up).toEqual([{ remote: inventory.remote }]);
    const down = once(client.events, 'down');
    await inventory.server.kill();
    expect(await down).toEqual([{ remote: inventory.remote, reason: expect.any(Error) }]);
    const failed = once(client.events, 'failed');
    await client.echo([], { timeoutMs: 100 }).catch(() => undefined);
    expect(await failed).toEqual([{ remote: inventory.remote, reason: expect.any(Error) }]);
  });

  it('goes to other servers when it is told to, and what is in flight gets its answer first', async () => {
    await using one = await Inventory.start();
    await using other = await Inventory.start();
    await using client = one.client();
    const serverId = await client.getServerId();
    const wait: Operation = { op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [] };
    const pending = client.transact([{ ...wait, timeout: 200 } as Operation]).catch((error) => error);
    client.setRemote(`${one.remote},${other.remote}`);
    expect(await client.getServerId()).toBe(serverId);
    client.setRemote(other.remote);
    expect(await client.getServerId()).not.toBe(serverId);
    expect(await pending).toMatchObject({ tag: 'timed out' });
    expect(() => client.setRemote('nonsense')).toThrow(TypeError);
  });

  it('finds a server that it is told of while it searches', async () => {
    await using inventory = await Inventory.start();
    await using client = new OvsdbClient({ remote: 'unix:/nonexistent', database: 'Inventory' });
    const pending = client.echo(['found']);
    await once(client.events, 'failed');
    client.setRemote(inventory.remote);
    expect(await pending).toEqual(['found']);
  });

  it('counts what it does', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    expect(client.counters).toMatchObject({ connections: 0, requests: 0, replies: 0, bytesSent: 0, bytesReceived: 0 });
    await client.echo([]);
    const { requests, replies, bytesSent, bytesReceived } = client.counters;
    expect(replies).toBe(requests);
    const text = 'größer';
    await client.echo([text]);
    const message = `{"id":${requests + 1},"method":"echo","params":["${text}"]}`;
    const reply = `{"error":null,"id":${requests + 1},"result":["${text}"]}`;
    expect(client.counters).toEqual({
      connections: 1,
      failedAttempts: 0,
      requests: requests + 1,
      replies: replies + 1,
      notifications: 0,
      bytesSent: bytesSent + Buffer.byteLength(message),
      bytesReceived: bytesReceived + Buffer.byteLength(reply),
    });
    const monitor = client.monitor({ Item: {} })[Symbol.asyncIterator]();
    await monitor.next();
    await client.transact([{ op: 'insert', table: 'Box', row: { serial: 'a', size: 'small' } }]);
    await client.transact([
      { op: 'insert', table: 'Item', row: { name: 'pen' }, 'uuid-name': 'pen' },
      { op: 'update', table: 'Box', where: [], row: { items: ['named-uuid', 'pen'] } },
    ]);
    expect(client.counters.notifications).toBe(1);
    await monitor.return();
    await inventory.server.kill();
    await client.echo([], { timeoutMs: 300 }).catch(() => undefined);
    expect(client.counters.failedAttempts).toBeGreaterThan(0);
    await inventory.server.start();
    await client.echo([]);
    expect(client.counters.connections).toBe(2);
  });

  it('leaves nothing at the server of requests that it gave up', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const wait: Operation = { op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [] };
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = Array.from({ length: 100 }, () => client.transact([wait], { signal }).catch((error) => error));
    await until(() => inventory.server.control('memory/show').includes('triggers:100'));
    controller.abort();
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(OutcomeUnknownError);
    await until(() => !inventory.server.control('memory/show').includes('triggers'));
  });

  it('can be used after thousands of requests that ran out of time', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    await client.echo([]);
    const attempts = Array.from({ length: 5000 }, () =>
      client.transact([comment], { timeoutMs: 1 }).catch((error) => error.code),
    );
    for (const answer of await Promise.all(attempts)) {
      expect([[{}], 'OVSDB_CONNECT', 'OVSDB_OUTCOME_UNKNOWN']).toContainEqual(answer);
    }
    expect(await client.echo(['x'])).toEqual(['x']);
  });

  it('ends its monitors and caches when it is closed, with the reason', async () => {
    await using inventory = await Inventory.start();
    const client = inventory.client();
    const events = client.monitor({ Item: {} })[Symbol.asyncIterator]();
    await events.next();
    await using cache = client.typed(schema).cache({ Item: {} });
    await cache.ready;
    const changes = cache[Symbol.asyncIterator]();
    const [event, change] = [events.next(), changes.next()].map((next) => next.catch((error) => error));
    await client.close();
    expect(await event).toMatchObject({ code: 'OVSDB_CONNECT', message: expect.stringContaining('closed') });
    expect(await change).toMatchObject({ code: 'OVSDB_CONNECT' });
  });

  it('publishes start and end of each request, and its error', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const seen: unknown[] = [];
    const requests = tracingChannel('ovsdb-client-ts:request');
    const listeners = {
      start: (about: object) => seen.push(['start', { ...about }]),
      asyncEnd: ({ method }: { method?: string }) => seen.push(['end', method]),
      error: ({ error }: { error?: unknown }) => seen.push(['error', error]),
    } as never;
    requests.subscribe(listeners);
    await client.transact([comment]);
    const abort: Operation = { op: 'abort' };
    await client.transact([abort]).catch(() => undefined);
    requests.unsubscribe(listeners);
    expect(seen).toEqual([
      ['start', { method: 'transact', database: 'Inventory' }],
      ['end', 'transact'],
      ['start', { method: 'transact', database: 'Inventory' }],
      ['error', expect.any(TransactionError)],
      ['end', 'transact'],
    ]);
    expect(channel('tracing:ovsdb-client-ts:request:start').hasSubscribers).toBe(false);
  });
});

describe('an index of a cache', () => {
  it('follows rows that come, change their key, and go', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact(['a', 'b'].map((serial) => db.insert('Box', { serial, size: 'small', labels: { owner: 'me' } })));
    await using cache = db.cache({ Box: { columns: ['serial', 'labels'] } });
    await cache.ready;
    const byOwner = cache.index('Box', ({ labels }) => labels.get('owner'));
    const bySerial = cache.index('Box', ({ serial }) => serial);
    const serials = (owner: string) =>
      byOwner
        .get(owner)
        .map(({ serial }) => serial)
        .sort();
    expect(serials('me')).toEqual(['a', 'b']);
    await db.transact([db.update('Box', [['serial', '==', 'a']], { labels: { owner: 'you' } })]);
    await db.transact([db.insert('Box', { serial: 'c', size: 'small' })]);
    expect([serials('me'), serials('you')]).toEqual([['b'], ['a']]);
    expect(bySerial.get('c')).toHaveLength(1);
    await db.transact([db.delete('Box', [['serial', '==', 'b']])]);
    expect([serials('me'), bySerial.get('b')]).toEqual([[], []]);
  });
});

describe('the key of a table', () => {
  it('finds its row in a cache, and none that is gone or has another key now', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact(['a', 'b'].map((serial) => db.insert('Box', { serial, size: 'small', level: 1 })));
    await using cache = db.cache({ Box: { columns: ['serial', 'level'] } });
    await cache.ready;
    expect(cache.find('Box', { serial: 'a' })).toMatchObject({ serial: 'a', level: 1 });
    await db.transact([
      db.update('Box', [['serial', '==', 'a']], { level: 2 }),
      db.delete('Box', [['serial', '==', 'b']]),
      db.insert('Box', { serial: 'c', size: 'small' }),
    ]);
    expect(['a', 'b', 'c'].map((serial) => cache.find('Box', { serial })?.level)).toEqual([2, undefined, 0]);
  });

  it('is one that the schema has, of columns that the cache holds', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await using cache = db.cache({ Box: { columns: ['level'] } });
    await cache.ready;
    expect(() => cache.find('Box', { serial: 'a' })).toThrow(new SchemaError('This cache does not hold serial of Box'));
    expect(() => cache.find('Box', { level: 1 } as never)).toThrow(new SchemaError('Table Box has no index of level'));
  });

  it('may be of several columns, optional ones and references too', async () => {
    await using server = await TestServer.start({ schema: '/usr/share/ovn/ovn-sb.ovsschema' });
    await using client = new OvsdbClient({ remote: server.remote, database: server.database });
    const sb = client.typed(southbound);
    await using cache = sb.cache({ Encap: {}, IGMP_Group: {}, Datapath_Binding: {} });
    await cache.ready;
    const datapath = sb.insert('Datapath_Binding', { tunnel_key: 1 });
    const [id] = await sb.transact([
      datapath,
      sb.insert('IGMP_Group', { address: '239.0.0.1', datapath: datapath.ref }),
      sb.insert('IGMP_Group', { address: '239.0.0.2', datapath: datapath.ref }),
    ]);
    const key = { address: '239.0.0.2', datapath: id, chassis: undefined };
    expect(cache.find('IGMP_Group', key)).toMatchObject({ address: '239.0.0.2' });
    expect(cache.find('IGMP_Group', { ...key, datapath: undefined })).toBeUndefined();
    expect(cache.find('Encap', { type: 'geneve', ip: '10.0.0.1' })).toBeUndefined();
  });
});

describe('waitFor', () => {
  it('gives a row that is there, one that comes, or the reason why there is none', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await using cache = db.cache({ Box: { columns: ['serial', 'level'] } });
    await db.transact([db.insert('Box', { serial: 'a', size: 'small', level: 1 })]);
    await cache.ready;
    expect(await cache.waitFor('Box', ({ serial }) => serial === 'a')).toMatchObject({ level: 1 });
    const pending = cache.waitFor('Box', ({ level }) => level === 5);
    await db.transact([db.update('Box', [], { level: 3 })]);
    await db.transact([db.update('Box', [], { level: 5 })]);
    expect(await pending).toMatchObject({ serial: 'a', level: 5 });
    const never = cache.waitFor('Box', () => false, { timeoutMs: 50 });
    await expect(never).rejects.toThrow('no such row of Box: 50 ms passed');
    const closed = cache.waitFor('Box', () => false).catch((error) => error);
    await cache.close();
    expect((await closed).message).toBe('no such row of Box: the cache was closed');
  });
});

describe('retryGuarded', () => {
  it('counts exactly with many writers who guard what they read', async () => {
    await using inventory = await Inventory.start();
    await using client = inventory.client();
    const db = client.typed(schema);
    await db.transact([db.insert('Box', { serial: 'a', size: 'small', count: 0n })]);
    let attempts = 0;
    const increment = () =>
      retryGuarded(
        async () => {
          attempts++;
          const [[row]] = await db.transact([db.select('Box', [], ['count'])]);
          await db.transact([db.wait('Box', [], [row!]), db.update('Box', [], { count: row!.count + 1n })]);
        },
        { timeoutMs: 60_000 },
      );
    await Promise.all(Array.from({ length: 10 }, increment));
    const [rows] = await db.transact([db.select('Box', [], ['count'])]);
    expect(rows).toEqual([{ count: 10n }]);
    expect(attempts).toBeGreaterThan(10);
  }, 60_000);

  it('throws the last error when its time is over, and others at once', async () => {
    const unknown = new OutcomeUnknownError('transact', 'a test');
    let attempts = 0;
    const attempt = async () => {
      attempts++;
      throw unknown;
    };
    await expect(retryGuarded(attempt, { timeoutMs: 300 })).rejects.toBe(unknown);
    expect(attempts).toBeGreaterThan(1);
    const bug = new TypeError('a bug');
    await expect(retryGuarded(async () => Promise.reject(bug))).rejects.toBe(bug);
    const rejected = new TransactionError(0, comment, { tag: 'constraint violation', details: undefined });
    await expect(retryGuarded(async () => Promise.reject(rejected))).rejects.toBe(rejected);
  });
});
