import { OutcomeUnknownError, OvsdbClient, ProtocolError, type Uuid } from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { inventorySchema } from '../support/inventory.ts';
import { answerAs, Peer, standaloneRow } from '../support/peer.ts';

const ID = '550e8400-e29b-41d4-a716-446655440000' as string as Uuid<'Box'>;

function serverWithBox(level: unknown): Peer {
  return new Peer((peer, message) => {
    const { id, method, params } = message;
    const rows = { Box: { [ID]: { initial: { level } } } };
    if (method === 'get_schema') peer.send({ id, result: inventorySchema, error: null });
    else if (method === 'monitor_cond_since') peer.send({ id, result: [false, 'T1', rows], error: null });
    else if (params?.[0] === '_Server' || method === 'set_db_change_aware')
      answerAs({ ...standaloneRow, name: 'Inventory' })(peer, message);
    else if (id !== null) peer.send({ id, result: {}, error: null });
  });
}

it('tells whoever reads a value that is not of its type', async () => {
  const peer = serverWithBox('high');
  await using client = new OvsdbClient({
    remote: 'tcp:one:1',
    database: 'Inventory',
    connect: async () => peer.stream,
  });
  await using cache = client.typed(schema).cache({ Box: { columns: ['level'] } });
  await cache.ready;
  expect(() => cache.tables.Box.get(ID)).toThrow(ProtocolError);
  await expect(cache[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ProtocolError);
});

describe('a server that is silent for long while it makes the contents', () => {
  function silent(answerAfterMs: number): Peer {
    const peer = serverWithBox(1);
    const send = peer.send.bind(peer);
    peer.send = (message) => {
      const { id, result } = message as { id: unknown; result: unknown };
      const isContents = Array.isArray(result);
      if (id !== 'echo') setTimeout(() => send(message), isContents ? answerAfterMs : 0).unref();
    };
    return peer;
  }
  const clientOf = (peer: Peer, snapshotTimeoutMs: number) =>
    new OvsdbClient({
      remote: 'tcp:one:1',
      database: 'Inventory',
      probeIntervalMs: 100,
      snapshotTimeoutMs,
      connect: async () => peer.stream,
    });

  it('is waited for longer than the inactivity probe would wait', async () => {
    const peer = silent(700);
    await using client = clientOf(peer, 30_000);
    await using cache = client.typed(schema).cache({ Box: { columns: ['level'] } });
    await cache.ready;
    expect(cache.tables.Box.size).toBe(1);
    expect(peer.methods().filter((method) => method === 'monitor_cond_since')).toHaveLength(1);
    // From then on silence means what it does.
    await new Promise((resolve) => peer.stream.once('close', resolve));
  });

  it('is given up with the limit of the contents when nothing at all has come', async () => {
    const peer = silent(60_000);
    await using client = clientOf(peer, 500);
    await using cache = client.typed(schema).cache({ Box: { columns: ['level'] } });
    await expect(cache.ready).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(peer.stream.destroyed).toBe(true);
  });
});

it('ends with an error at an update that it cannot take, instead of trying for ever', async () => {
  const peer = serverWithBox(1);
  await using client = new OvsdbClient({
    remote: 'tcp:one:1',
    database: 'Inventory',
    connect: async () => peer.stream,
  });
  await using cache = client.typed(schema).cache({ Box: { columns: ['level'] } });
  await cache.ready;
  const monitor = peer.received.find(({ method }) => method === 'monitor_cond_since')!.params![1];
  const update = { Box: { [crypto.randomUUID()]: { modify: { level: 1 } } } };
  peer.send({ id: null, method: 'update3', params: [monitor, 'T2', update] });
  while (cache.isLive) await new Promise((resolve) => setTimeout(resolve, 1));
  const reader = cache[Symbol.asyncIterator]();
  expect((await reader.next()).value).toHaveLength(1);
  await expect(reader.next()).rejects.toThrow('Got a change of a row of Box that was never sent');
  expect(peer.received.filter(({ method }) => method === 'monitor_cond_since')).toHaveLength(1);
});
