import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConnectError,
  namedUuid,
  type Operation,
  OutcomeUnknownError,
  RpcError,
  SchemaError,
  TransactionError,
  toWireSet,
  UnsendableError,
} from '../src/index.ts';
import { schema } from './generated/inventory.ts';
import { Inventory, inventorySchema } from './support/inventory.ts';

let inventory: Inventory;
beforeAll(async () => {
  inventory = await Inventory.start();
});
afterAll(async () => {
  await inventory[Symbol.asyncDispose]();
});

const guard: Operation = { op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [], timeout: 0 };
const selectAll: Operation = { op: 'select', table: 'Box', where: [] };
const foreverWait: Operation = { op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [] };

describe('requests', () => {
  it('answers the questions about the server', async () => {
    await using client = inventory.client();
    expect(await client.listDatabases()).toEqual(expect.arrayContaining(['Inventory', '_Server']));
    expect(await client.getSchema()).toMatchObject({ name: 'Inventory', version: '1.2.0' });
    expect(await client.getServerId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(await client.echo(['a', 1])).toEqual(['a', 1]);
  });

  it('carries integers of 64 bits, there and back', async () => {
    await using client = inventory.client();
    const values = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n];
    const row = { serial: 'int64', size: 'small', totals: toWireSet(values) };
    await client.transact([{ op: 'insert', table: 'Box', row }]);
    const where = [['serial', '==', 'int64']] as const;
    const [result] = await client.transact([{ op: 'select', table: 'Box', where, columns: ['totals'] }]);
    expect(result?.rows?.[0]?.totals).toEqual(['set', values.toSorted((a, b) => (a < b ? -1 : 1))]);
  });

  it('keeps the order of a hundred requests in flight on one connection', async () => {
    await using client = inventory.client();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => client.echo([i])));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => [i]));
  });
});

describe('errors', () => {
  it('names the failed operation by index, operation and tag', async () => {
    await using client = inventory.client();
    const bad: Operation = { op: 'insert', table: 'Box', row: { level: 11 } };
    const error = await client.transact([selectAll, bad, selectAll]).catch((e) => e);
    expect(error).toBeInstanceOf(TransactionError);
    expect(error).toMatchObject({ index: 1, operation: bad, tag: 'constraint violation', guardFailed: false });
  });

  it('tells a failure of the commit, the one more result, by an index after the last operation', async () => {
    await using client = inventory.client();
    const dangling = { op: 'insert', table: 'Box', row: { items: namedUuid('nobody'), size: 'small' } } as const;
    const error = await client.transact([dangling]).catch((e) => e);
    expect(error).toMatchObject({ index: 1, operation: undefined, tag: 'referential integrity violation' });
  });

  it('tells a guard that failed from a wait that waited in vain', async () => {
    await using client = inventory.client();
    const guarded = await client.transact([guard]).catch((e) => e);
    expect(guarded).toMatchObject({ tag: 'timed out', guardFailed: true });
    const waited = await client.transact([{ ...foreverWait, timeout: 50 } as Operation]).catch((e) => e);
    expect(waited).toMatchObject({ tag: 'timed out', guardFailed: false });
  });

  it('reports a request that ran out of time as unknown, and the connection goes on', async () => {
    await using client = inventory.client();
    const error = await client.transact([foreverWait], { timeoutMs: 100 }).catch((e) => e);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await client.echo([])).toEqual([]);
  });

  it('reports an aborted request as unknown when sent and as not sent before', async () => {
    await using client = inventory.client();
    await client.echo([]);
    const controller = new AbortController();
    const pending = client.transact([foreverWait], { signal: controller.signal }).catch((e) => e);
    await sleep(50);
    controller.abort(new Error('changed my mind'));
    expect(await pending).toMatchObject({ code: 'OVSDB_OUTCOME_UNKNOWN', message: expect.stringMatching('changed') });
    await expect(client.transact([selectAll], { signal: controller.signal })).rejects.toBeInstanceOf(ConnectError);
  });

  it('reports what was in flight on a killed server as unknown, and comes back with the server', async () => {
    await using own = await Inventory.start();
    await using client = own.client();
    await client.echo([]);
    const pending = client.transact([foreverWait]).catch((e) => e);
    await sleep(50);
    await own.server.kill();
    expect(await pending).toBeInstanceOf(OutcomeUnknownError);
    const later = client.transact([selectAll]);
    await sleep(200);
    await own.server.start();
    expect(await later).toEqual([{ rows: [] }]);
  });

  it('says which server could not be reached and why, within the limit', async () => {
    await using client = inventory.client({ remote: 'unix:/nonexistent/socket,tcp:127.0.0.1:1' });
    const error = (await client.echo([], { timeoutMs: 300 }).catch((e) => e)) as Error;
    expect(error).toBeInstanceOf(ConnectError);
    expect(error.message).toMatch(/unix:\/nonexistent\/socket: .*ENOENT/);
    expect(error.message).toMatch(/tcp:127.0.0.1:1: .*ECONNREFUSED/);
  });

  it('leaves a server that does not have the database', async () => {
    await using client = inventory.client({ database: 'Nowhere' });
    const error = await client.transact([], { timeoutMs: 300 }).catch((e) => e);
    expect(error.message).toMatch('it has no database Nowhere');
  });

  it('rejects what would make the server close the connection on everyone', async () => {
    await using client = inventory.client();
    const insert = (name: string): Operation => ({ op: 'insert', table: 'Item', row: { name } });
    for (const text of ['a\0b', '\ud800', '\udc00\ud800']) {
      const error = await client.transact([insert('fine'), insert(text)]).catch((e) => e);
      expect(error).toBeInstanceOf(UnsendableError);
      expect(error.pointer).toBe('/2/row/name');
    }
    expect((await client.transact([insert('\u{1f4e6} \\u0000')]))[0]).toHaveProperty('uuid');
  });

  it('rejects numbers that the server, or its own log, cannot read back', async () => {
    await using own = await Inventory.start();
    await using client = own.client();
    const insert = (serial: string, weight: number): Operation => ({
      op: 'insert',
      table: 'Box',
      row: { serial, weight, size: 'small' },
    });
    const pending = client.transact([{ ...foreverWait, timeout: 500 } as Operation]).catch((e) => e);
    for (const number of [1e-310, 2.2250738585072014e-308, Number.MAX_VALUE]) {
      await expect(client.transact([insert('odd', number)])).rejects.toBeInstanceOf(UnsendableError);
    }
    expect(await pending).toBeInstanceOf(TransactionError);
    const numbers = [2.22507385850721e-308, 1.79769313486231e308];
    await client.transact(numbers.map((number, i) => insert(`${i}`, number)));
    await own.server.kill();
    await own.server.start();
    const [result] = await client.transact([{ ...selectAll, columns: ['weight'] } as Operation]);
    expect(result!.rows!.map(({ weight }) => weight)).toEqual(expect.arrayContaining(numbers));
  });

  it.each([Number.NaN, -1, '5' as unknown as number])('does not take %s for a time', async (timeoutMs) => {
    expect(() => inventory.client({ requestTimeoutMs: timeoutMs })).toThrow(TypeError);
    await using client = inventory.client();
    await expect(client.echo([], { timeoutMs })).rejects.toThrow(/^timeoutMs is .*: expected milliseconds/);
  });

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 1e300])('takes %s ms for no limit', async (ms) => {
    await using client = inventory.client({
      requestTimeoutMs: ms,
      connectTimeoutMs: ms,
      snapshotTimeoutMs: ms,
      probeIntervalMs: ms,
    });
    expect(await client.echo(['x'], { timeoutMs: ms })).toEqual(['x']);
    for await (const { kind } of client.monitor({ Box: {} }, { timeoutMs: ms })) {
      expect(kind).toBe('snapshot');
      break;
    }
    const lock = await client.lock('patient', { timeoutMs: ms });
    await lock.held({ timeoutMs: ms });
  });

  it('does not give out the types of another database', () => {
    const client = inventory.client({ database: 'OVN_Northbound' });
    expect(() => client.typed(schema)).toThrow(
      new SchemaError('The schema is of Inventory and this client of the database OVN_Northbound'),
    );
  });

  it('sorts rows by columns', async () => {
    await using own = await Inventory.start();
    await using client = own.client();
    const levels = [3, 1, 2];
    await client.transact(
      levels.map((level) => ({ op: 'insert', table: 'Box', row: { serial: `${level}`, level, size: 'small' } })),
    );
    const [result] = await client.transact([
      { op: 'select', table: 'Box', where: [], columns: ['level'], sort: ['level'] },
    ]);
    expect(result!.rows).toEqual([{ level: 1 }, { level: 2 }, { level: 3 }]);
  });

  it('reports a request that the server rejects as a whole', async () => {
    await using client = inventory.client();
    const error = await client.convert({ name: 'Other', tables: {} }).catch((e) => e);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ method: 'convert', tag: expect.any(String) });
  });
});

describe('close', () => {
  it('settles everything and rejects what comes later', async () => {
    const client = inventory.client();
    await client.echo([]);
    const pending = client.transact([foreverWait]).catch((e) => e);
    await sleep(20);
    await client.close();
    expect(await pending).toBeInstanceOf(OutcomeUnknownError);
    await expect(client.echo([])).rejects.toBeInstanceOf(ConnectError);
  });
});

describe('convert', () => {
  it('changes the schema under a client that stays connected', async () => {
    await using own = await Inventory.start();
    await using client = own.client();
    const newer = structuredClone(inventorySchema);
    newer.version = '1.3.0';
    newer.tables.Box.columns.colour = { type: 'string' };
    await client.convert(newer);
    expect(await client.getSchema()).toMatchObject({ version: '1.3.0' });
    const [result] = await client.transact([{ op: 'select', table: 'Box', where: [], columns: ['colour'] }]);
    expect(result).toEqual({ rows: [] });
  });
});
