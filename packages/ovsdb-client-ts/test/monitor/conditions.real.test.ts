import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConnectError,
  type Monitor,
  type MonitorEvent,
  type Operation,
  RpcError,
  SchemaError,
} from '../../src/index.ts';
import { schema } from '../generated/inventory.ts';
import { HoldingProxy } from '../support/holding-proxy.ts';
import { Inventory } from '../support/inventory.ts';
import { until } from '../support/until.ts';

const box = (serial: string, level: number): Operation => ({
  op: 'insert',
  table: 'Box',
  row: { serial, level, size: 'small' },
});

/** Reads a monitor of boxes in the background. */
class Follower {
  readonly kinds: MonitorEvent['kind'][] = [];
  readonly tables = new Set<string>();
  readonly serials = new Map<string, unknown>();
  end: unknown;

  constructor(monitor: Monitor) {
    void this.#follow(monitor).then(
      () => {
        this.end = 'closed';
      },
      (error) => {
        this.end = error;
      },
    );
  }

  async #follow(monitor: Monitor): Promise<void> {
    for await (const { kind, updates } of monitor) {
      this.kinds.push(kind);
      if (kind === 'snapshot') this.serials.clear();
      for (const table of Object.keys(updates)) this.tables.add(table);
      for (const [id, update] of Object.entries(updates.Box ?? {})) {
        const row = update.initial ?? update.insert;
        if (row !== undefined) this.serials.set(id, row.serial);
        if ('delete' in update) this.serials.delete(id);
      }
    }
  }

  get sorted(): unknown[] {
    return [...this.serials.values()].sort();
  }
}

it('takes effect when it is changed while the first contents are on their way', async () => {
  await using inventory = await Inventory.start();
  await using proxy = await HoldingProxy.start(inventory.remote);
  await using writer = inventory.client();
  await writer.transact([box('a', 1), box('b', 2)]);
  await using client = inventory.client({ remote: proxy.remote });
  await client.echo([]);
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  proxy.held = 'monitor_cond_since';
  const follower = new Follower(monitor);
  await sleep(50);
  const changed = monitor.changeCondition('Box', [['level', '==', 2]]);
  await sleep(50);
  expect(follower.kinds).toEqual([]);
  proxy.release();
  await changed;
  await until(() => follower.serials.size === 1);
  expect(follower.sorted).toEqual(['b']);
  await writer.transact([box('c', 1), box('d', 2)]);
  await until(() => follower.serials.size === 2);
  expect(follower.sorted).toEqual(['b', 'd']);
});

it('stays what it was when the server rejects a change, also after a reconnect', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await client.transact([box('a', 1), box('b', 2)]);
  await using monitor = client.monitor({ Box: { columns: ['serial'], where: [['level', '==', 1]] } });
  const follower = new Follower(monitor);
  await until(() => follower.serials.size === 1);
  const wrong = [[['colour', '==', 'red']], [['level', '==', 'high']]] as const;
  const errors = await Promise.all(wrong.map((where) => monitor.changeCondition('Box', where).catch((error) => error)));
  for (const error of errors) expect(error).toBeInstanceOf(RpcError);
  await inventory.server.kill();
  await inventory.server.start();
  await client.transact([box('c', 1), box('d', 2)]);
  await until(() => follower.serials.size === 2);
  expect(follower.sorted).toEqual(['a', 'c']);
  expect(follower.end).toBeUndefined();
});

it('holds after a reconnect, and a change that the lost server had not answered is asked for again', async () => {
  await using inventory = await Inventory.start();
  await using proxy = await HoldingProxy.start(inventory.remote);
  await using writer = inventory.client();
  await writer.transact([box('a', 1), box('b', 2)]);
  await using client = inventory.client({ remote: proxy.remote });
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  const follower = new Follower(monitor);
  await until(() => follower.serials.size === 2);
  proxy.held = 'monitor_cond_change';
  const changed = monitor.changeCondition('Box', [['level', '==', 2]]);
  await sleep(50);
  proxy.held = undefined;
  proxy.cut();
  await changed;
  await until(() => follower.serials.size === 1);
  proxy.cut();
  await until(() => follower.kinds.filter((kind) => kind === 'snapshot').length >= 3);
  expect(follower.sorted).toEqual(['b']);
});

it('is not changed for a table that is not followed: its rows would come', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await client.transact([{ op: 'insert', table: 'Item', row: { name: 'pen' } }, box('a', 1)]);
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  const follower = new Follower(monitor);
  await until(() => follower.serials.size === 1);
  await expect(monitor.changeCondition('Item', [])).rejects.toBeInstanceOf(SchemaError);
  await inventory.server.kill();
  await inventory.server.start();
  await client.transact([box('b', 1)]);
  await until(() => follower.serials.size === 2);
  expect([...follower.tables]).toEqual(['Box']);
});

it('belongs to the first request when it is changed before that', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await client.transact([box('a', 1), box('b', 2)]);
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  await monitor.changeCondition('Box', [['level', '==', 1]]);
  const follower = new Follower(monitor);
  await until(() => follower.serials.size === 1);
  expect(follower.sorted).toEqual(['a']);
});

it('is not waited for longer than its limit while there is no server', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await using monitor = client.monitor({ Box: { columns: ['serial'] } });
  const follower = new Follower(monitor);
  await until(() => follower.kinds.length === 1);
  await inventory.server.kill();
  await sleep(20);
  await expect(monitor.changeCondition('Box', [], { timeoutMs: 50 })).rejects.toBeInstanceOf(ConnectError);
});

it('may be a boolean, and several requests may be for one table', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  await client.transact([box('a', 1)]);
  await using monitor = client.monitor({
    Box: [{ columns: ['serial'] }, { columns: ['level'], select: { initial: false } }],
  });
  const follower = new Follower(monitor);
  await until(() => follower.sorted.join() === 'a');
  await monitor.changeCondition('Box', [false]);
  await until(() => follower.serials.size === 0);
  await monitor.changeCondition('Box', [true]);
  await until(() => follower.serials.size === 1);
});

it('changes on a typed cache too, with the types of its rows', async () => {
  await using inventory = await Inventory.start();
  await using client = inventory.client();
  const db = client.typed(schema);
  await client.transact([box('a', 1), box('b', 2)]);
  await using cache = db.cache({ Box: { columns: ['serial'], where: [['level', '==', 1]] } });
  const serials = () => [...cache.tables.Box.values()].map(({ serial }) => serial);
  await cache.changeCondition('Box', [['level', '>=', 2]]);
  await until(() => serials().join() === 'b');
  await expect(cache.changeCondition('Item' as never, [])).rejects.toBeInstanceOf(SchemaError);
  await inventory.server.kill();
  await until(() => !cache.isLive);
  await inventory.server.start();
  await client.transact([box('c', 3), box('d', 1)]);
  await until(() => serials().length === 2);
  expect(serials().sort()).toEqual(['b', 'c']);
  await cache.changeCondition('Box', [false]);
  await until(() => serials().length === 0);
});
