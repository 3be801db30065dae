import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import { clientOf } from '../../../explore/model/client.ts';
import { Southbound } from '../../../handover/ovn/southbound.ts';
import { addChassis, addPortBinding, OvnDatabase } from '../../../testkit/ovn.ts';

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
  addChassis(database, 'remote', 'worker-a', '10.0.0.9');
  // As OVN-IC writes it of another availability zone's gateway.
  database.ctl('set', 'Chassis', 'remote', 'other_config:is-remote=true');
  addChassis(database, 'left', 'renamed', '10.0.0.10');
  addChassis(database, 'came-back', 'renamed', '10.0.0.11');
  for (const [name, time] of [
    ['left', 1_000],
    ['came-back', 2_000],
  ]) {
    database.ctl('create', 'Chassis_Private', `name=${name}`, `nb_cfg_timestamp=${time}`);
  }
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
  const namesOf = async (...nodes: string[]) =>
    [...(await southbound.look(nodes, [])).chassis].map(([node, all]) => [node, ...all.map(({ name }) => name).sort()]);

  test('are found by hostname or by name, and are always their names, with what their ovn-controllers know', async () => {
    const { chassis } = await southbound.look(['worker-a', 'worker-b', 'worker-c', 'same'], []);
    expect(
      [...chassis].map(([node, all]) => [node, ...all.map(({ name, strategySupport }) => [name, strategySupport])]),
    ).toEqual([
      ['worker-a', ['chassis-1', 'rarp-only']],
      ['worker-b', ['chassis-2', 'all']],
      ['worker-c', ['worker-c', 'rarp-only']],
      ['same', ['same', 'rarp-only']],
    ]);
  });

  test('are none of a node that has none, of a part of a hostname, or of another availability zone', async () => {
    expect(await namesOf('worker-z', 'worker', 'remote')).toEqual([['worker-z'], ['worker'], ['remote']]);
  });

  test('are all of several where none is known to live', async () => {
    expect(await namesOf('twice', 'ambiguous')).toEqual([
      ['twice', 'chassis-4', 'chassis-5'],
      ['ambiguous', 'ambiguous', 'chassis-7'],
    ]);
  });

  test('are the one that lives, of two of which one has left its row', async () => {
    expect(await namesOf('renamed')).toEqual([['renamed', 'came-back']]);
  });

  test('are the one that has claimed the port, where no time tells', async () => {
    const { chassis } = await southbound.look(['twice'], []);
    const claiming = chassis.get('twice')!.find(({ name }) => name === 'chassis-5')!;
    database.ctl('set', 'Port_Binding', first, `chassis=${claiming.uuid}`);
    const { chassis: found } = await southbound.look(['twice'], ['web-01.prod']);
    expect(found.get('twice')).toEqual([claiming]);
    database.ctl('clear', 'Port_Binding', first, 'chassis');
  });
});

test('all chassis say what their ovn-controllers know', async () => {
  const support = await southbound.strategySupport();
  expect(support.size).toBe(11);
  expect([...support].filter(([, known]) => known === 'all').map(([name]) => name)).toEqual(['chassis-2']);
});

describe('the port bindings', () => {
  const names = ['web-01.prod', 'web-01.prod.tenant-a'];
  const bindingsOf = async (ports: readonly string[], hint?: readonly string[]) => [
    ...(await southbound.look([], ports, hint)).bindings.values(),
  ];

  test('say which additional chassis a RARP has opened, and the addresses that ovn-controller goes by', async () => {
    const bindings = await bindingsOf(names);
    expect(bindings.map(({ port, activated, addresses }) => [port, activated, addresses]).sort()).toEqual([
      ['web-01.prod', [], ['02:00:5e:10:00:01 192.168.50.10', 'unknown']],
      ['web-01.prod.tenant-a', ['chassis-2'], []],
    ]);
  });

  test.each([
    ['right', () => [first, second]],
    ['of one row only', () => [first]],
    ['of no row', () => ['99999999-9999-4999-8999-999999999999', second]],
    ['of rows of other ports', () => [second, addPortBinding(database, 'other', 3)]],
  ])('are the same whether the hint is %s', async (_what, hint) => {
    const cold = new Southbound(client);
    const { bindings } = await cold.look([], names, hint());
    expect([...bindings.keys()].sort()).toEqual(names);
  });

  test('are found again without a scan of the table, and searched again when the row is another', async () => {
    const conditions: unknown[] = [];
    const spy = clientOf((operations) => {
      conditions.push(...operations.map((operation) => operation.op === 'select' && operation.where[0]![0]));
      return client.transact(operations);
    });
    const warm = new Southbound(spy);
    await warm.look([], names);
    expect([...(await warm.look([], names)).bindings.keys()].sort()).toEqual(names);
    expect(conditions).toEqual(['logical_port', 'logical_port', '_uuid', '_uuid']);

    database.ctl('destroy', 'Port_Binding', second);
    second = addPortBinding(database, 'web-01.prod.tenant-a', 9);
    const { bindings } = await warm.look([], names);
    expect([...bindings.values()].map(({ uuid }) => uuid).sort()).toEqual([first, second].sort());
    expect(conditions.slice(4)).toEqual(['_uuid', '_uuid', 'logical_port', 'logical_port']);
  });

  test('are none for a port that northd has not bound yet', async () => {
    expect(await bindingsOf(['nobody'])).toEqual([]);
    expect(await bindingsOf([])).toEqual([]);
  });
});

test('killed and started again in the meantime, it is used again', async () => {
  await database.kill();
  const asked = southbound.look(['worker-a'], []);
  await database.start();
  expect((await asked).chassis.get('worker-a')).toMatchObject([{ name: 'chassis-1' }]);
});
