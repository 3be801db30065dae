import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ConnectError, type Operation, toWireMap, toWireSet, type WireRow } from 'ovsdb-client-ts';
import { TryAgainError } from '../../../handover/decision/errors.ts';
import { Southbound } from '../../../handover/ovn/southbound.ts';
import { RecordingClient } from '../support/database.ts';

const PORTS = ['a.prod', 'b.prod'];
const NOBODY = '99999999-9999-4999-8999-999999999999';
const NETWORK = '77777777-7777-4777-8777-777777777777';
const BY_NAME = 'Port_Binding logical_port ==';
const BY_UUID = 'Port_Binding _uuid ==';

let rows: Record<string, WireRow[]>;
let database: RecordingClient;
let southbound: Southbound;

const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const chassis = (number: number, name: string, hostname: string, config: Record<string, string> = {}): WireRow => ({
  _uuid: ['uuid', id(number)],
  name,
  hostname,
  other_config: toWireMap(config),
});
const follows = (name: string, timestamp: number): WireRow => ({ name, nb_cfg_timestamp: timestamp });
const binding = (number: number, port: string, change: Partial<WireRow> = {}): WireRow => ({
  _uuid: ['uuid', id(number)],
  logical_port: port,
  type: '',
  datapath: ['uuid', NETWORK],
  mac: ['set', []],
  options: toWireMap({}),
  chassis: ['set', []],
  additional_chassis: ['set', []],
  ...change,
});

/** What ovsdb-server selects: rows of a table, by whether columns are equal to something. */
function select(operation: Operation) {
  if (operation.op !== 'select') throw new Error(`a function only reads there, and does not ${operation.op}`);
  const isWanted = (row: WireRow) =>
    operation.where.every(
      ([column, operator, value]) => (JSON.stringify(row[column]) === JSON.stringify(value)) === (operator === '=='),
    );
  return { rows: rows[operation.table]!.filter(isWanted) };
}

beforeEach(() => {
  rows = {
    Chassis: [
      chassis(1, 'chassis-1', 'worker-a'),
      chassis(2, 'chassis-2', 'worker-b'),
      chassis(3, 'worker-c', 'c.example'),
    ],
    Chassis_Private: [],
    Port_Binding: PORTS.map((port, index) => binding(11 + index, port)),
  };
  database = new RecordingClient((operations) => operations.map(select));
  southbound = new Southbound(database.client);
});

const UNCLAIMED = { since: undefined, chassis: undefined, additionalChassis: [] };

const uuidsOf = async (ports: readonly string[], hint?: readonly string[]) =>
  [...(await southbound.look([], ports, hint)).bindings].map(([name, { uuid }]) => [name, uuid]);
const both = PORTS.map((port, index) => [port, id(11 + index)]);

describe('a look', () => {
  test('at nodes and ports is one request, within five seconds', async () => {
    const found = await southbound.look(['worker-a', 'worker-c'], PORTS);
    expect(found).toEqual({
      chassis: new Map([
        ['worker-a', [{ uuid: id(1), name: 'chassis-1', strategySupport: 'rarp-only' }]],
        ['worker-c', [{ uuid: id(3), name: 'worker-c', strategySupport: 'rarp-only' }]],
      ]),
      bindings: new Map(
        PORTS.map((port, index) => [
          port,
          { uuid: id(11 + index), port, datapath: NETWORK, addresses: [], activated: [], ...UNCLAIMED },
        ]),
      ),
    });
    const node = ['Chassis hostname ==', 'Chassis name =='];
    expect(database.looks).toEqual([[...node, ...node, BY_NAME, BY_NAME]]);
    const columns = database.transactions[0]!.operations.map((each) => each.op === 'select' && each.columns);
    expect([columns[0], columns[1], columns[4]]).toEqual([
      ['_uuid', 'hostname', 'name', 'other_config'],
      ['_uuid', 'hostname', 'name', 'other_config'],
      ['_uuid', 'logical_port', 'type', 'datapath', 'mac', 'options', 'chassis', 'additional_chassis'],
    ]);
    expect(database.transactions[0]!.options).toEqual({ timeoutMs: 5_000 });
  });

  test('at nothing asks nothing, also by a hint', async () => {
    expect(await southbound.look([], [], [id(11)])).toEqual({ chassis: new Map(), bindings: new Map() });
    expect(database.looks).toEqual([]);
  });

  test('cannot be had while the database is away: it is to come again, and says why', async () => {
    const cause = new ConnectError('connection rejected');
    database.before = () => {
      throw cause;
    };
    const failed = southbound.look(['worker-a'], []);
    await expect(failed).rejects.toThrow(TryAgainError);
    await expect(failed).rejects.toMatchObject({
      message: expect.stringMatching(/^OVN southbound: .*rejected/),
      cause,
    });
  });
});

describe('the chassis of a node', () => {
  const namesOf = async (node: string, ports: readonly string[] = []) =>
    (await southbound.look([node], ports)).chassis.get(node)?.map(({ name }) => name);

  test('is none where no hostname or name is the node’s', async () => {
    expect(await namesOf('worker-z')).toEqual([]);
    expect(await namesOf('worker')).toEqual([]);
  });

  test('is one where hostname and name are the node’s', async () => {
    rows.Chassis = [chassis(8, 'same', 'same')];
    expect(await namesOf('same')).toEqual(['same']);
  });

  test('says what its ovn-controller knows of strategies, by the settings that it copies', async () => {
    rows.Chassis = [
      chassis(1, 'old', 'worker-a', { 'ovn-evpn': 'x' }),
      chassis(2, 'new', 'worker-b', { 'ovn-evpn-vxlan-ports': '' }),
    ];
    const { chassis: found } = await southbound.look(['worker-a', 'worker-b'], []);
    expect([...found.values()].flat().map(({ strategySupport }) => strategySupport)).toEqual(['rarp-only', 'all']);
    expect(await southbound.strategySupport()).toEqual(
      new Map([
        ['old', 'rarp-only'],
        ['new', 'all'],
      ]),
    );
    expect(database.looks.at(-1)).toEqual(['Chassis name !=']);
  });

  test('is none of another availability zone, which OVN-IC lists with its hostname', async () => {
    rows.Chassis!.push(chassis(4, 'gateway', 'worker-a', { 'is-remote': 'true' }));
    rows.Chassis!.push(chassis(5, 'local', 'worker-d', { 'is-remote': 'false' }));
    expect(await namesOf('worker-a')).toEqual(['chassis-1']);
    expect(await namesOf('gateway')).toEqual([]);
    expect(await namesOf('worker-d')).toEqual(['local']);
    // Nobody has to ask which of them lives.
    expect(database.looks).toHaveLength(3);
  });

  describe('that came back under another name, and left its old row', () => {
    const claimedBy = (number: number, column: 'chassis' | 'additional_chassis' = 'chassis') => {
      rows.Port_Binding = [
        binding(11, 'a.prod', { [column]: toWireSet([['uuid', id(number)]]) }),
        binding(12, 'b.prod'),
      ];
    };
    beforeEach(() => {
      rows.Chassis!.push(chassis(4, 'new', 'worker-a'));
    });

    test('is the one that was the last to follow the configuration, also where the port is still claimed by the old one', async () => {
      rows.Chassis_Private = [follows('chassis-1', 1_000), follows('new', 2_000), follows('chassis-2', 3_000)];
      expect(await namesOf('worker-a')).toEqual(['new']);
      expect(database.looks).toEqual([
        ['Chassis hostname ==', 'Chassis name =='],
        ['Chassis_Private name ==', 'Chassis_Private name =='],
      ]);
      const { operations } = database.transactions[1]!;
      expect(operations[0]).toMatchObject({ columns: ['name', 'nb_cfg_timestamp'] });
      claimedBy(1);
      expect(await namesOf('worker-a', PORTS)).toEqual(['new']);
      rows.Chassis_Private.reverse();
      expect(await namesOf('worker-a', PORTS)).toEqual(['new']);
    });

    test('is the one that follows it at all, where the other does not any more', async () => {
      rows.Chassis_Private = [follows('new', 2_000)];
      expect(await namesOf('worker-a')).toEqual(['new']);
    });

    test.each<[string, WireRow[]]>([
      ['the configuration’s number was never raised', [follows('chassis-1', 0), follows('new', 0)]],
      ['one has not followed it yet', [follows('chassis-1', 1_000), follows('new', 0)]],
      ['both followed it at the same time', [follows('chassis-1', 1_000), follows('new', 1_000)]],
      ['nobody follows it', []],
    ])('is the one that has claimed one of the VM’s ports, where %s', async (_what, following) => {
      rows.Chassis_Private = following;
      for (const column of ['chassis', 'additional_chassis'] as const) {
        claimedBy(4, column);
        expect(await namesOf('worker-a', PORTS)).toEqual(['new']);
        claimedBy(1, column);
        expect(await namesOf('worker-a', PORTS)).toEqual(['chassis-1']);
      }
    });

    test('is not known where both or none have claimed one, and both are told of', async () => {
      expect(await namesOf('worker-a', PORTS)).toEqual(['chassis-1', 'new']);
      claimedBy(2);
      expect(await namesOf('worker-a', PORTS)).toEqual(['chassis-1', 'new']);
      rows.Port_Binding = [
        binding(11, 'a.prod', { chassis: ['uuid', id(1)], additional_chassis: ['uuid', id(4)] }),
        binding(12, 'b.prod'),
      ];
      expect(await namesOf('worker-a', PORTS)).toEqual(['chassis-1', 'new']);
    });

    test('is told from that of another node by one’s name that is the other’s hostname', async () => {
      rows.Chassis = [chassis(1, 'worker-a', 'elsewhere'), chassis(4, 'new', 'worker-a')];
      rows.Chassis_Private = [follows('worker-a', 1_000), follows('new', 2_000)];
      expect(await namesOf('worker-a')).toEqual(['new']);
    });

    test('is looked for at each node that has several, and left alone at the others', async () => {
      rows.Chassis!.push(chassis(5, 'newer', 'worker-b'));
      rows.Chassis_Private = ['chassis-1', 'new', 'chassis-2', 'newer'].map((name, index) => follows(name, 1 + index));
      const { chassis: found } = await southbound.look(['worker-a', 'worker-b', 'worker-c'], []);
      expect([...found].map(([node, all]) => [node, all.map(({ name }) => name)])).toEqual([
        ['worker-a', ['new']],
        ['worker-b', ['newer']],
        ['worker-c', ['worker-c']],
      ]);
      expect(database.looks).toHaveLength(3);
    });
  });
});

describe('the bindings of ports', () => {
  test('say who has claimed them, whom a RARP has opened, and the addresses that ovn-controller goes by', async () => {
    rows.Port_Binding = [
      binding(11, 'a.prod', {
        mac: ['set', ['02:00:5e:10:00:01 192.168.50.10', 'unknown']],
        options: toWireMap({
          'additional-chassis-activated': 'chassis-2,chassis-3',
          'handover-since': '2026-11-30T14:18:07.721Z',
        }),
        chassis: ['uuid', id(1)],
        additional_chassis: toWireSet([
          ['uuid', id(2)],
          ['uuid', id(3)],
        ]),
      }),
      binding(12, 'b.prod'),
    ];
    const { bindings } = await southbound.look([], PORTS);
    expect([...bindings.values()]).toEqual([
      {
        uuid: id(11),
        port: 'a.prod',
        datapath: NETWORK,
        addresses: ['02:00:5e:10:00:01 192.168.50.10', 'unknown'],
        activated: ['chassis-2', 'chassis-3'],
        since: '2026-11-30T14:18:07.721Z',
        chassis: id(1),
        additionalChassis: [id(2), id(3)],
      },
      { uuid: id(12), port: 'b.prod', datapath: NETWORK, addresses: [], activated: [], ...UNCLAIMED },
    ]);
  });

  test('are found by a hint of all of them', async () => {
    expect(await uuidsOf(PORTS, [id(11), id(12)])).toEqual(both);
    expect(database.looks).toEqual([[BY_UUID, BY_UUID]]);
  });

  test.each<[string, number[], number]>([
    ['of some of them', [11], 1],
    ['of one and of another port’s', [11, 13], 2],
    ['of a row that is gone', [11, 99], 2],
  ])('are searched where the hint is %s', async (_what, hint, requests) => {
    rows.Port_Binding!.push(binding(13, 'other'));
    expect(await uuidsOf(PORTS, hint.map(id))).toEqual(both);
    expect(database.looks).toHaveLength(requests);
    expect(database.looks.at(-1)).toEqual([BY_NAME, BY_NAME]);
  });

  test('are found by what is remembered of all of them, before what is hinted at', async () => {
    await southbound.look([], [PORTS[0]!]);
    await southbound.look([], [PORTS[0]!], [NOBODY]);
    expect(await uuidsOf(PORTS)).toEqual(both);
    expect(await uuidsOf(PORTS)).toEqual(both);
    expect(database.looks).toEqual([[BY_NAME], [BY_UUID], [BY_NAME, BY_NAME], [BY_UUID, BY_UUID]]);
  });

  test('that northd has made anew are searched again, once', async () => {
    await southbound.look([], PORTS);
    rows.Port_Binding = [binding(11, 'a.prod'), binding(22, 'b.prod')];
    const anew = [
      ['a.prod', id(11)],
      ['b.prod', id(22)],
    ];
    expect(await uuidsOf(PORTS)).toEqual(anew);
    expect(await uuidsOf(PORTS)).toEqual(anew);
    expect(database.looks.slice(1)).toEqual([
      [BY_UUID, BY_UUID],
      [BY_NAME, BY_NAME],
      [BY_UUID, BY_UUID],
    ]);
  });

  test('that northd has not made yet are not there, and are searched again', async () => {
    rows.Port_Binding = [binding(11, 'a.prod')];
    expect(await uuidsOf(PORTS)).toEqual([['a.prod', id(11)]]);
    expect(await uuidsOf(PORTS)).toEqual([['a.prod', id(11)]]);
    expect(database.looks).toEqual([
      [BY_NAME, BY_NAME],
      [BY_NAME, BY_NAME],
    ]);
  });
});

describe('the side effects of a dual binding', () => {
  const OTHER = '88888888-8888-4888-8888-888888888888';
  const effects = async () => new Map((await southbound.sideEffects(PORTS)).map(({ port, ...rest }) => [port, rest]));
  const virtual = (number: number, port: string, parents: string) =>
    binding(number, port, { type: 'virtual', options: toWireMap({ 'virtual-parents': parents }) });

  test('are none on a network of OVN’s own', async () => {
    expect(await effects()).toEqual(new Map(PORTS.map((port) => [port, { isOnLocalnet: false, virtualPorts: [] }])));
  });

  test('are on a localnet network all that is sent, and on no other network', async () => {
    rows.Port_Binding = [
      binding(11, 'a.prod'),
      binding(12, 'b.prod', { datapath: ['uuid', OTHER] }),
      binding(13, 'uplink', { type: 'localnet', datapath: ['uuid', OTHER] }),
    ];
    const found = await effects();
    expect([...found].map(([port, { isOnLocalnet }]) => [port, isOnLocalnet])).toEqual([
      ['a.prod', false],
      ['b.prod', true],
    ]);
  });

  test('are virtual ports that have the port for a parent', async () => {
    rows.Port_Binding!.push(
      virtual(14, 'vip-1', 'b.prod,a.prod'),
      virtual(15, 'vip-2', 'a.prod'),
      virtual(16, 'vip-3', 'c.prod'),
      binding(17, 'vip-4', { type: 'virtual' }),
    );
    const found = await effects();
    expect(found.get('a.prod')!.virtualPorts).toEqual(['vip-1', 'vip-2']);
    expect(found.get('b.prod')!.virtualPorts).toEqual(['vip-1']);
  });

  test('cost one scan of the table in a minute, for all migrations', async () => {
    jest.useFakeTimers();
    await southbound.look([], PORTS);
    database.transactions.length = 0;
    await southbound.sideEffects(PORTS);
    jest.advanceTimersByTime(59_999);
    await southbound.sideEffects(PORTS);
    const others = ['Port_Binding type !='];
    expect(database.looks).toEqual([[BY_UUID, BY_UUID], others, [BY_UUID, BY_UUID]]);
    rows.Port_Binding!.push(binding(13, 'uplink', { type: 'localnet' }));
    jest.advanceTimersByTime(1);
    expect((await effects()).get('a.prod')!.isOnLocalnet).toBe(true);
    expect(database.looks.at(-1)).toEqual(others);
    jest.useRealTimers();
  });
});
