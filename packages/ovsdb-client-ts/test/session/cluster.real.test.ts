import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Operation, OvsdbClient } from '../../src/index.ts';
import { createCluster } from '../../src/test-server/database-file.ts';
import { countUnderFire } from '../acceptance/increments.ts';
import { schema } from '../generated/inventory.ts';
import { Cluster } from '../support/cluster.ts';
import { Inventory, inventorySchema } from '../support/inventory.ts';

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

describe('a cluster that came back with a shorter log', () => {
  let boxes = 0;
  const insert = (client: OvsdbClient) =>
    client.transact([{ op: 'insert', table: 'Box', row: { serial: `${boxes++}`, size: 'small' } }]);

  it('is used when it was made anew', async () => {
    await using inventory = await Inventory.start(inventorySchema, { isClustered: true });
    await using client = inventory.client();
    for (let i = 0; i < 20; i++) await insert(client);
    await indexIsShown(inventory, 20);
    await using late = inventory.client();
    await late.echo([]);
    await inventory.server.kill();
    createCluster(inventory.server.directory, inventorySchema);
    await inventory.server.start();
    expect(await insert(late)).toHaveLength(1);
  });

  it('is used when its files were restored and the client was told to forget the index', async () => {
    await using inventory = await Inventory.start(inventorySchema, { isClustered: true });
    const file = join(inventory.server.directory, 'db');
    await using first = inventory.client();
    await insert(first);
    copyFileSync(file, `${file}.backup`);
    for (let i = 0; i < 20; i++) await insert(first);
    await indexIsShown(inventory, 20);
    await using late = inventory.client();
    await late.echo([]);
    await inventory.server.kill();
    copyFileSync(`${file}.backup`, file);
    await inventory.server.start();
    await expect(late.echo([], { timeoutMs: 1000 })).rejects.toThrow('it is behind in the log of Inventory, at');
    late.resetIndex();
    expect(await late.echo([])).toEqual([]);
  });

  async function indexIsShown(inventory: Inventory, index: number): Promise<void> {
    await using client = inventory.client({ database: '_Server' });
    const select: Operation = { op: 'select', table: 'Database', where: [['name', '==', 'Inventory']] };
    const deadline = Date.now() + 10_000;
    for (let shown = 0; shown < index && Date.now() < deadline; await sleep(50)) {
      const [result] = await client.transact([select]);
      shown = Number(result!.rows![0]!.index);
    }
  }
});
