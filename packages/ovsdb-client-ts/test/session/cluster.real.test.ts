import { setTimeout as sleep } from 'node:timers/promises';
import { OvsdbClient } from '../../src/index.ts';
import { countUnderFire } from '../acceptance/increments.ts';
import { schema } from '../generated/inventory.ts';
import { Cluster } from '../support/cluster.ts';
import { inventorySchema } from '../support/inventory.ts';

it('counts exactly while leaders are killed, and no word about an outcome is wrong', async () => {
  const report = await countUnderFire({ increments: 60, kills: 2 });
  expect(report).toMatchObject({ counter: 60, kills: 2, wrong: [] });
}, 120_000);

it('believes no rejection that comes by a relay, behind which a cluster may have tried twice', async () => {
  const report = await countUnderFire({ increments: 60, hangs: 1, byRelay: true });
  expect(report).toMatchObject({ counter: 60, words: { rejected: 0 }, wrong: [] });
  expect(report.words.unknown).toBeGreaterThan(0);
}, 120_000);

it('uses the leader only, and a cache goes on from where it was with the next one', async () => {
  await using cluster = await Cluster.start(inventorySchema);
  await using client = new OvsdbClient({ remote: cluster.remote, database: 'Inventory' });
  const db = client.typed(schema);
  await db.transact([db.insert('Box', { serial: 'before', size: 'small' })], { timeoutMs: 30_000 });
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  const events = monitor[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ kind: 'snapshot' });

  const leader = await cluster.waitForLeader();
  await leader.kill();
  await db.transact([db.insert('Box', { serial: 'after', size: 'small' })], { timeoutMs: 30_000 });
  // The new leader knows the last transaction seen, so there is no second snapshot.
  let event = (await events.next()).value;
  while (event !== undefined && Object.keys(event.updates).length === 0) event = (await events.next()).value;
  expect(event).toMatchObject({ kind: 'changes' });
  expect(Object.values(event!.updates.Box!)).toEqual([{ insert: { serial: 'after' } }]);
}, 120_000);

it('leaves a member that has lost its cluster', async () => {
  await using cluster = await Cluster.start(inventorySchema);
  await using client = new OvsdbClient({ remote: cluster.remote, database: 'Inventory', leaderOnly: false });
  await client.echo([], { timeoutMs: 30_000 });
  for (const member of cluster.members.slice(1)) await member.kill();
  const deadline = Date.now() + 30_000;
  let problem = '';
  while (!problem.includes('lost its cluster') && Date.now() < deadline) {
    problem = await client.echo([], { timeoutMs: 500 }).then(
      () => '',
      (error: Error) => error.message,
    );
    await sleep(100);
  }
  expect(problem).toMatch('it has lost its cluster of Inventory');
}, 120_000);
