import { type MonitorEvent, OutcomeUnknownError, OvsdbClient } from '../../src/index.ts';
import { answerAs, Peer, standaloneRow } from '../support/peer.ts';

type Answer = (peer: Peer, id: unknown, params: readonly unknown[]) => void;

/** A server that knows these methods to monitor, and no other. */
function serverWith(answers: Record<string, Answer>): Peer {
  return new Peer((peer, message) => {
    const { id, method = '', params = [] } = message;
    if (method === 'set_db_change_aware' || params[0] === '_Server') answerAs(standaloneRow)(peer, message);
    else if (answers[method] !== undefined) answers[method](peer, id, params);
    else if (id !== null) peer.send({ id, result: null, error: 'unknown method' });
  });
}

async function take(peer: Peer, count: number, snapshotTimeoutMs = 5000): Promise<MonitorEvent[]> {
  const connect = async () => peer.stream;
  await using client = new OvsdbClient({ remote: 'tcp:one:1', database: 'DB', connect, snapshotTimeoutMs });
  const events: MonitorEvent[] = [];
  for await (const event of client.monitor({ Table: {} })) if (events.push(event) === count) break;
  return events;
}

it('falls back to monitor_cond', async () => {
  const peer = serverWith({
    monitor_cond: (self, id, [, monitor]) =>
      self.send(
        { id, result: { Table: { a: { initial: { x: 1 } } } }, error: null },
        { id: null, method: 'update2', params: [monitor, { Table: { a: { modify: { x: 2 } } } }] },
      ),
  });
  expect(await take(peer, 2)).toEqual([
    { kind: 'snapshot', updates: { Table: { a: { initial: { x: 1 } } } } },
    { kind: 'changes', updates: { Table: { a: { modify: { x: 2 } } } } },
  ]);
});

it("falls back to RFC 7047's monitor, whose updates have whole rows", async () => {
  const peer = serverWith({
    monitor: (self, id, [, monitor]) =>
      self.send(
        { id, result: { Table: { a: { new: { x: 1 } } } }, error: null },
        { id: null, method: 'update', params: [monitor, { Table: { a: { old: { x: 1 }, new: { x: 2, y: 3 } } } }] },
        { id: null, method: 'update', params: [monitor, { Table: { a: { old: { x: 2, y: 3 } } } }] },
      ),
  });
  expect(await take(peer, 3)).toEqual([
    { kind: 'snapshot', updates: { Table: { a: { initial: { x: 1 } } } } },
    { kind: 'changes', updates: { Table: { a: { replace: { x: 2, y: 3 } } } } },
    { kind: 'changes', updates: { Table: { a: { delete: null } } } },
  ]);
});

it('keeps the order of updates that come in one piece with the contents', async () => {
  const peer = serverWith({
    monitor_cond_since: (self, id, [, monitor]) =>
      self.send(
        { id, result: [false, 'T1', { Table: {} }], error: null },
        { id: null, method: 'update3', params: [monitor, 'T2', { Table: { a: { insert: {} } } }] },
      ),
  });
  expect((await take(peer, 2)).map(({ kind }) => kind)).toEqual(['snapshot', 'changes']);
});

it('starts anew when the server cancels the monitor', async () => {
  let times = 0;
  const peer = serverWith({
    monitor_cancel: (self, id) => self.send({ id, result: {}, error: null }),
    monitor_cond_since: (self, id, [, monitor]) => {
      self.send({ id, result: [false, 'T1', { Table: {} }], error: null });
      if (times++ === 0) self.send({ id: null, method: 'monitor_canceled', params: [monitor] });
    },
  });
  expect((await take(peer, 2)).map(({ kind }) => kind)).toEqual(['snapshot', 'snapshot']);
  const requests = peer.received.filter(({ method }) => method === 'monitor_cond_since');
  expect(requests.map(({ params }) => params![3])).toEqual(Array(2).fill('00000000-0000-0000-0000-000000000000'));
});

it('tells the reader when the contents take longer than their limit', async () => {
  const peer = serverWith({ monitor_cond_since: () => undefined, monitor_cancel: () => undefined });
  await expect(take(peer, 1, 50)).rejects.toBeInstanceOf(OutcomeUnknownError);
});
