import { OvsdbClient, ProtocolError, type Uuid } from '../../src/index.ts';
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
