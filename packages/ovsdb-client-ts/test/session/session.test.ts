import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  type Connect,
  ConnectError,
  type Operation,
  OutcomeUnknownError,
  OvsdbClient,
  type OvsdbClientOptions,
  ProtocolError,
} from '../../src/index.ts';
import { Backoff } from '../../src/session/backoff.ts';
import { answerAs, Peer, standaloneRow } from '../support/peer.ts';

const comment: Operation = { op: 'comment', comment: 'x' };

function client(connect: Connect, options: Partial<OvsdbClientOptions> = {}): OvsdbClient {
  return new OvsdbClient({ remote: 'tcp:one:1', database: 'DB', connect, ...options });
}

/** A client of one peer, connected. */
async function connected(peer: Peer, options: Partial<OvsdbClientOptions> = {}): Promise<OvsdbClient> {
  const one = client(async () => peer.stream, options);
  const ready = one.echo(['first']);
  while (!peer.methods().includes('echo')) await sleep(1);
  peer.send({ id: peer.received.at(-1)!.id, result: ['first'], error: null });
  await ready;
  return one;
}

async function sent(peer: Peer, method: string): Promise<void> {
  while (!peer.methods().includes(method)) await sleep(1);
}

describe('the conversation', () => {
  it('answers the echo of the server', async () => {
    const peer = new Peer();
    await using _client = await connected(peer);
    peer.send({ id: 'echo', method: 'echo', params: ['still there?'] });
    await sleep(10);
    expect(peer.received.at(-1)).toEqual({ id: 'echo', result: ['still there?'], error: null });
  });

  it('cancels a transaction that it gives up, and takes no harm from its late answer', async () => {
    const peer = new Peer();
    await using one = await connected(peer);
    await expect(one.transact([comment], { timeoutMs: 20 })).rejects.toBeInstanceOf(OutcomeUnknownError);
    const { id } = peer.received.find(({ method }) => method === 'transact')!;
    expect(peer.received.at(-1)).toEqual({ id: null, method: 'cancel', params: [id] });
    peer.send({ id, result: null, error: 'canceled' }, { id, result: [{}], error: null });
    const next = one.echo([]);
    await sleep(10);
    peer.send({ id: peer.received.at(-1)!.id, result: [], error: null });
    expect(await next).toEqual([]);
  });

  it('counts a transaction that the server cancelled as unknown', async () => {
    const peer = new Peer();
    await using one = await connected(peer);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    peer.send({ id: peer.received.at(-1)!.id, result: null, error: 'canceled' });
    expect(await pending).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each([
    ['no JSON', 'hello'],
    ['neither request nor reply', '{"answer":42}'],
    ['broken JSON', '{"id":1,}'],
    ['a notification without parameters', '{"id":null,"method":"update3"}'],
  ])('gives a peer up that sends %s, and says so', async (_what, bytes) => {
    const peer = new Peer();
    await using one = await connected(peer);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    peer.sendRaw(bytes);
    const error = await pending;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toBeInstanceOf(ProtocolError);
  });

  it.each([
    ['no array', {}],
    ['too few results', []],
    ['nulls without an error before them', [null]],
  ])('does not take %s for the results of a transaction', async (_what, result) => {
    const peer = new Peer();
    await using one = await connected(peer);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    peer.send({ id: peer.received.at(-1)!.id, result, error: null });
    expect(await pending).toBeInstanceOf(ProtocolError);
  });
});

describe('a peer that does not read', () => {
  it('is not flooded: what waits for room counts as not sent, what left as unknown', async () => {
    const peer = new Peer();
    await using one = await connected(peer, { probeIntervalMs: 0 });
    peer.isStuck = true;
    const text = 'x'.repeat(2000);
    const first = one.echo([text], { timeoutMs: 50 }).catch((error) => error);
    const second = one.echo([text], { timeoutMs: 50 }).catch((error) => error);
    expect(await first).toBeInstanceOf(OutcomeUnknownError);
    expect(await second).toBeInstanceOf(ConnectError);
  });
});

describe('the inactivity probe', () => {
  it('asks a silent peer, and gives it up when there is no answer', async () => {
    const peer = new Peer();
    await using one = await connected(peer, { probeIntervalMs: 50 });
    const error = await one.transact([comment]).catch((e) => e);
    expect(peer.methods().filter((method) => method === 'echo')).toHaveLength(2);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toMatch('no answer to the inactivity probe within 50 ms');
  });

  it('is content with any sign of life', async () => {
    const peer = new Peer();
    await using one = await connected(peer, { probeIntervalMs: 150 });
    const pending = one.transact([comment]);
    await sent(peer, 'transact');
    const { id } = peer.received.at(-1)!;
    const reply = JSON.stringify({ id, result: [{}], error: null });
    for (const byte of reply.slice(0, 20)) {
      peer.sendRaw(byte);
      await sleep(20);
    }
    peer.sendRaw(reply.slice(20));
    expect(await pending).toEqual([{}]);
  });
});

describe('the choice of the server', () => {
  const follower = { ...standaloneRow, model: 'clustered', leader: false, index: 7 };
  const leader = { ...follower, leader: true };
  const answering = (row: object) =>
    new Peer((peer, message) => {
      answerAs(row)(peer, message);
      if (message.method === 'echo')
        peer.send({ id: message.id, result: [row === leader ? 'leader' : 'other'], error: null });
    });

  it('takes the leader and lets followers go', async () => {
    const peers = new Map([
      ['one', answering(follower)],
      ['two', answering(leader)],
      ['three', answering(follower)],
    ]);
    await using one = client(async (endpoint) => peers.get((endpoint as { host: string }).host)!.stream, {
      remote: 'tcp:one:1,tcp:two:1,tcp:three:1',
    });
    expect(await one.echo([])).toEqual(['leader']);
    await sleep(10);
    expect([...peers.values()].map(({ stream }) => stream.destroyed).filter((gone) => !gone)).toHaveLength(1);
  });

  it('takes any member that has its cluster when told so', async () => {
    await using one = client(async () => answering(follower).stream, { leaderOnly: false });
    expect(await one.echo([])).toEqual(['other']);
  });

  it.each([
    ['has lost its cluster', { ...leader, connected: false }, 'it has lost its cluster of DB'],
    ['is a follower', follower, 'it is not the leader of DB'],
    ['has another database', { ...leader, name: 'Other' }, 'it has no database DB'],
  ])('says that a server %s', async (_what, row, problem) => {
    await using one = client(async () => answering(row).stream);
    await expect(one.echo([], { timeoutMs: 50 })).rejects.toThrow(problem);
  });

  it('never goes back to a member that is behind what was seen', async () => {
    const rows = [
      { ...follower, index: 9 },
      { ...follower, index: 8 },
    ];
    let last: Peer | undefined;
    await using one = client(
      async () => {
        last = answering(rows.shift() ?? { ...follower, index: 8 });
        return last.stream;
      },
      { leaderOnly: false },
    );
    await one.echo([]);
    last!.stream.destroy();
    await sleep(5);
    await expect(one.echo([], { timeoutMs: 100 })).rejects.toThrow('it is behind in the log of DB');
  });

  it('leaves a leader that is none any more, and then takes a rejection for unknown', async () => {
    const peer = new Peer(answerAs(leader));
    await using one = client(async () => peer.stream);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    const { id } = peer.received.at(-1)!;
    peer.send(
      { id: null, method: 'update', params: ['_Server', { Database: { row: { new: { leader: false } } } }] },
      { id, result: [{ error: 'timed out' }], error: null },
    );
    const error = await pending;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toMatch('may have tried it twice');
    await sleep(5);
    expect(peer.stream.destroyed).toBe(true);
  });

  it.each([
    ['at once', 0, 'OVSDB_TRANSACTION'],
    ['late enough for the cluster to have tried twice', 300, 'OVSDB_OUTCOME_UNKNOWN'],
  ])('judges the rejection by a leader that comes %s', async (_when, delay, code) => {
    const peer = new Peer(answerAs(leader));
    await using one = client(async () => peer.stream);
    const now = jest.spyOn(performance, 'now').mockReturnValue(1000);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    now.mockReturnValue(1000 + delay);
    peer.send({ id: peer.received.at(-1)!.id, result: [{ error: 'timed out' }], error: null });
    const error = await pending;
    now.mockRestore();
    expect(error).toMatchObject({ code });
  });

  it.each([
    ['a relay', { ...standaloneRow, model: 'relay', leader: false }],
    ['a relay that says it leads', { ...standaloneRow, model: 'relay' }],
    ['a server of a model that is not known', { ...standaloneRow, model: 'mirrored' }],
  ])('takes a rejection by %s for unknown: it may have a cluster behind it', async (_who, row) => {
    const peer = new Peer(answerAs(row));
    await using one = client(async () => peer.stream);
    const pending = one.transact([comment]).catch((error) => error);
    await sent(peer, 'transact');
    peer.send({ id: peer.received.at(-1)!.id, result: [{ error: 'timed out' }], error: null });
    const error = await pending;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toMatchObject({ tag: 'timed out' });
  });

  it('believes what it was told of a success, also by a leader that is none any more', async () => {
    const peer = new Peer(answerAs(leader));
    await using one = client(async () => peer.stream);
    const pending = one.transact([comment]);
    await sent(peer, 'transact');
    const { id } = peer.received.at(-1)!;
    peer.send(
      { id: null, method: 'update', params: ['_Server', { Database: { row: { new: { leader: false } } } }] },
      { id, result: [{}], error: null },
    );
    expect(await pending).toEqual([{}]);
  });

  it('does not wait for a server that hangs when the next one answers', async () => {
    const connect: Connect = (endpoint, signal) =>
      (endpoint as { host: string }).host === 'good'
        ? Promise.resolve(answering(leader).stream)
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await using one = client(connect, { remote: 'tcp:hangs:1,tcp:good:1' });
    expect(await one.echo([], { timeoutMs: 2000 })).toEqual(['leader']);
  });

  it('takes a server without _Server for a standalone one', async () => {
    const peer = new Peer((self, { id, method }) => {
      if (method === 'set_db_change_aware') self.send({ id, result: null, error: 'unknown method' });
      if (method === 'monitor')
        self.send({ id, result: null, error: { error: 'unknown database', details: '_Server' } });
      if (method === 'echo') self.send({ id, result: ['old'], error: null });
    });
    await using one = client(async () => peer.stream);
    expect(await one.echo([])).toEqual(['old']);
  });
});

describe('after close()', () => {
  it('nothing is sent and no stream is open', async () => {
    const peer = new Peer();
    const one = await connected(peer);
    await one.close();
    expect(peer.stream.destroyed).toBe(true);
    await expect(one.echo([])).rejects.toBeInstanceOf(ConnectError);
  });

  it('a search that never found a server is over', async () => {
    let attempts = 0;
    const one = client(async () => {
      attempts++;
      throw new Error('nobody here');
    });
    const pending = one.echo([]).catch((error) => error);
    await sleep(20);
    await one.close();
    expect(await pending).toBeInstanceOf(ConnectError);
    const before = attempts;
    await sleep(300);
    expect(attempts).toBe(before);
  });
});

it('waits longer between rounds, up to 8 s, and not all clients alike', () => {
  const longest = new Backoff();
  const shortest = new Backoff();
  const delays = Array.from({ length: 9 }, () => [shortest.next(() => 0), longest.next(() => 1)]);
  expect(delays.map(([, delay]) => delay)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 8000, 8000]);
  expect(delays.every(([low, high]) => low === high! / 2)).toBe(true);
});
