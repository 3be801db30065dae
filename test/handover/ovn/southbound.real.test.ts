import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import { TryAgainError } from '../../../handover/decision/errors.ts';
import { Southbound } from '../../../handover/ovn/southbound.ts';
import { addChassis, addPortBinding, OvnDatabase } from '../support/ovn.ts';

let database: OvnDatabase;
let client: OvsdbClient;
let southbound: Southbound;
let first: string;
let second: string;

beforeAll(async () => {
  database = await OvnDatabase.start('sb');
  addChassis(database, 'chassis-1', 'worker-a', '10.0.0.1');
  addChassis(database, 'chassis-2', 'worker-b', '10.0.0.2');
  addChassis(database, 'worker-c', 'worker-c.example.com', '10.0.0.3');
  addChassis(database, 'chassis-4', 'twice', '10.0.0.4');
  addChassis(database, 'chassis-5', 'twice', '10.0.0.5');
  addChassis(database, 'ambiguous', 'worker-d', '10.0.0.6');
  addChassis(database, 'chassis-7', 'ambiguous', '10.0.0.7');
  addChassis(database, 'same', 'same', '10.0.0.8');
  first = addPortBinding(database, 'web-01.prod', 1);
  second = addPortBinding(database, 'web-01.prod.tenant-a', 2);
  database.ctl('set', 'Port_Binding', first, 'mac="02:00:5e:10:00:01 192.168.50.10","unknown"');
  database.ctl('set', 'Port_Binding', second, 'options:additional-chassis-activated=chassis-2');
  // As ovn-controller 26.03 writes it where nobody has set it.
  database.ctl('set', 'Chassis', 'chassis-2', 'other_config:ovn-evpn-vxlan-ports=""');
  client = new OvsdbClient({ remote: database.remote, database: 'OVN_Southbound' });
  southbound = new Southbound(client);
});
afterAll(async () => {
  await client.close();
  await database[Symbol.asyncDispose]();
});

describe('the chassis of nodes', () => {
  test('is found by hostname or by name, and is always its name, with what its ovn-controller knows', async () => {
    expect(await southbound.chassisOf(['worker-a', 'worker-b', 'worker-c', 'same'])).toEqual(
      new Map([
        ['worker-a', { name: 'chassis-1', strategySupport: 'rarp-only' }],
        ['worker-b', { name: 'chassis-2', strategySupport: 'all' }],
        ['worker-c', { name: 'worker-c', strategySupport: 'rarp-only' }],
        ['same', { name: 'same', strategySupport: 'rarp-only' }],
      ]),
    );
    expect(await southbound.chassisOf([])).toEqual(new Map());
  });

  test.each([
    ['a node that has none', 'worker-z', 'no chassis'],
    ['a part of a hostname', 'worker', 'no chassis'],
    ['two chassis of one hostname, one of them stale', 'twice', /2 chassis .*chassis-[45], chassis-[45]/],
    ['the hostname of one that is the name of another', 'ambiguous', '2 chassis'],
  ])('is refused for %s', async (_what, node, said) => {
    const refused = southbound.chassisOf(['worker-a', node]);
    await expect(refused).rejects.toThrow(TryAgainError);
    await expect(refused).rejects.toThrow(said);
    await expect(refused).rejects.toThrow(node);
  });
});

test('all chassis say what their ovn-controllers know', async () => {
  const support = await southbound.strategySupport();
  expect(support.size).toBe(8);
  expect([...support].filter(([, known]) => known === 'all').map(([name]) => name)).toEqual(['chassis-2']);
});

describe('the port bindings', () => {
  const names = ['web-01.prod', 'web-01.prod.tenant-a'];

  test('say which additional chassis a RARP has opened', async () => {
    const bindings = await southbound.bindingsOf(names);
    expect(new Map(bindings.map(({ port, activated }) => [port, activated]))).toEqual(
      new Map([
        ['web-01.prod', []],
        ['web-01.prod.tenant-a', ['chassis-2']],
      ]),
    );
  });

  test('say the addresses that ovn-controller goes by', async () => {
    const bindings = await southbound.bindingsOf(names);
    expect(new Map(bindings.map(({ port, addresses }) => [port, addresses]))).toEqual(
      new Map([
        ['web-01.prod', ['02:00:5e:10:00:01 192.168.50.10', 'unknown']],
        ['web-01.prod.tenant-a', []],
      ]),
    );
  });

  test.each([
    ['right', () => [first, second]],
    ['of one row only', () => [first]],
    ['of no row', () => ['99999999-9999-4999-8999-999999999999', second]],
    ['of rows of other ports', () => [second, addPortBinding(database, 'other', 3)]],
  ])('are the same whether the hint is %s', async (_what, hint) => {
    const bindings = await southbound.bindingsOf(names, hint());
    expect(bindings.map(({ port }) => port).sort()).toEqual(names);
  });

  test('are found again without a scan of the table, and searched again when the row is another', async () => {
    const conditions: unknown[] = [];
    const spy = {
      transact: (operations: [{ where: [[string, ...unknown[]]] }]) => {
        conditions.push(...operations.map(({ where }) => where[0][0]));
        return client.transact(operations as never);
      },
    };
    const warm = new Southbound(spy as unknown as OvsdbClient);
    await warm.bindingsOf(names);
    expect((await warm.bindingsOf(names)).map(({ port }) => port).sort()).toEqual(names);
    expect(conditions).toEqual(['logical_port', 'logical_port', '_uuid', '_uuid']);

    database.ctl('destroy', 'Port_Binding', second);
    second = addPortBinding(database, 'web-01.prod.tenant-a', 9);
    expect((await warm.bindingsOf(names)).map(({ uuid }) => uuid).sort()).toEqual([first, second].sort());
    expect(conditions.slice(4)).toEqual(['_uuid', '_uuid', 'logical_port', 'logical_port']);
  });

  test('are none for a port that northd has not bound yet', async () => {
    expect(await southbound.bindingsOf(['nobody'])).toEqual([]);
    expect(await southbound.bindingsOf([])).toEqual([]);
  });
});

test('killed and started again in the meantime, it is used again', async () => {
  await database.kill();
  const asked = southbound.chassisOf(['worker-a']);
  await database.start();
  expect((await asked).get('worker-a')?.name).toBe('chassis-1');
});
