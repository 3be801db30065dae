import { channel, tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type Operation, OutcomeUnknownError, OvsdbClient, retryGuarded, TransactionError } from '../src/index.ts';
import { schema } from './generated/inventory.ts';
import { Inventory } from './support/inventory.ts';

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
