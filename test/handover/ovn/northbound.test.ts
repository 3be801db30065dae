import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ConnectError, OutcomeUnknownError as NoAnswerError, TransactionError, type WireRow } from 'ovsdb-client-ts';
import { Northbound as Model, type Port as Row } from '../../../explore/model/northbound.ts';
import { LookAgainError, OutcomeUnknownError, TryAgainError } from '../../../handover/decision/errors.ts';
import { OPTION_KEYS, type PortChange } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import { Northbound } from '../../../handover/ovn/northbound.ts';
import { VMI, VMIM_UID } from '../../../testkit/moments.ts';
import { RecordingClient } from '../support/database.ts';
import { DUAL, PINNED, SINCE, TO_SOURCE } from '../support/ports.ts';

const SCAN = 'Logical_Switch_Port external_ids includes';
const BY_UUID = 'Logical_Switch_Port _uuid ==';
const BY_NAME = 'Logical_Switch_Port name ==';
const NOBODY = '99999999-9999-4999-8999-999999999999';

let model: Model;
let database: RecordingClient;
let northbound: Northbound;
let b: Row;
let a: Row;
beforeEach(() => {
  model = new Model();
  b = model.addPort('b.prod', { pod: 'prod/web-01' });
  a = model.addPort('a.prod', { pod: 'prod/web-01' });
  database = new RecordingClient((operations) => model.transact(operations).results);
  northbound = new Northbound(database.client, profileOf('kube-ovn', ''));
});
afterEach(() => {
  jest.useRealTimers();
});

const record = (row: Row, binding: 'pinned' | 'dual' = 'pinned') =>
  row.write({ options: { ...row.options, ...recordEntries(binding === 'dual' ? DUAL : PINNED, SINCE) } });

describe('the ports of a VM', () => {
  test('come by name, with all that a hand-over looks at, within five seconds', async () => {
    const ports = await northbound.searchPorts(VMI, undefined);
    expect(ports.map(({ name }) => name)).toEqual(['a.prod', 'b.prod']);
    expect(ports[0]).toEqual({
      uuid: a.uuid,
      name: 'a.prod',
      addresses: ['0a:00:00:00:00:01 10.0.0.10'],
      options: { mcast_flood: 'true' },
      externalIds: { pod: 'prod/web-01' },
    });
    expect(database.transactions).toMatchObject([
      {
        options: { timeoutMs: 5_000 },
        operations: [
          {
            op: 'select',
            table: 'Logical_Switch_Port',
            columns: ['_uuid', 'name', 'addresses', 'dynamic_addresses', 'options', 'external_ids'],
          },
        ],
      },
    ]);
    expect(database.looks).toEqual([[SCAN]]);
  });

  test('of another VM are others', async () => {
    expect(await northbound.searchPorts({ ...VMI, name: 'nobody' }, [])).toEqual([]);
    expect(await northbound.searchPorts({ ...VMI, namespace: 'other' }, [])).toEqual([]);
  });

  test('are found by their uuids, by name, without a search', async () => {
    const ports = await northbound.portsAt([b.uuid, a.uuid], VMI);
    expect(ports?.map(({ name }) => name)).toEqual(['a.prod', 'b.prod']);
    expect(database.looks).toEqual([[BY_UUID, BY_UUID]]);
  });

  test.each<[string, () => string[]]>([
    ['a row is gone', () => [a.uuid, NOBODY]],
    ['all rows are gone', () => [NOBODY]],
    ['one row is another VM’s', () => [a.uuid, model.addPort('other', { pod: 'prod/other' }).uuid]],
    ['one row is of a VM in another namespace', () => [model.addPort('other', { pod: 'other/web-01' }).uuid, a.uuid]],
    ['a row is no VM’s', () => [model.addPort('orphan', {}).uuid]],
  ])('are not found by uuids where %s', async (_what, uuids) => {
    expect(await northbound.portsAt(uuids(), VMI)).toBeUndefined();
  });

  test('at no uuid are none, and nobody is asked', async () => {
    expect(await northbound.portsAt([], VMI)).toEqual([]);
    expect(database.looks).toEqual([]);
  });

  test.each([['dynamic'], ['dynamic 10.0.0.9'], ['0a:00:00:00:00:09 dynamic']])(
    'have the addresses that OVN chose, where it was to choose them: %s',
    async (address) => {
      const chosen = {
        addresses: ['set', [address, '0a:00:00:00:00:02 unknown']],
        dynamic_addresses: '0a:00:00:00:00:09 10.0.0.9',
      } as const;
      database = new RecordingClient((operations) =>
        model.transact(operations).results.map(({ rows }) => ({
          rows: rows!.map((row) => ({ ...row, ...chosen }) as unknown as WireRow),
        })),
      );
      const [port] = await new Northbound(database.client, profileOf('kube-ovn', '')).searchPorts(VMI, []);
      expect(port?.addresses).toEqual(['0a:00:00:00:00:09 10.0.0.9', '0a:00:00:00:00:02 unknown']);
    },
  );

  test('cannot be had while the database is away: it is to come again, and says why', async () => {
    const cause = new ConnectError('connection rejected');
    database.before = () => {
      throw cause;
    };
    for (const asked of [northbound.searchPorts(VMI, []), northbound.portsAt([a.uuid], VMI)]) {
      await expect(asked).rejects.toThrow(TryAgainError);
      await expect(asked).rejects.toMatchObject({
        message: expect.stringMatching(/^OVN northbound: .*rejected/),
        cause,
      });
    }
  });
});

describe('the ports of a VM that has one for each network', () => {
  beforeEach(() => {
    northbound = new Northbound(database.client, profileOf('generic', '{vmi}.{namespace}.{network}'));
    for (const network of ['default', 'tenant-a']) model.addPort(`web-01.prod.${network}`, {});
    model.addPort('web-02.prod.default', {});
  });
  const names = async (networks: readonly string[] | undefined) =>
    (await northbound.searchPorts(VMI, networks)).map(({ name }) => name);

  test('are found by the names of its networks', async () => {
    expect(await names(['tenant-a', 'default', 'pod'])).toEqual(['web-01.prod.default', 'web-01.prod.tenant-a']);
    expect(database.looks).toEqual([[BY_NAME, BY_NAME, BY_NAME]]);
  });

  test('are none where it has no network, and nobody is asked', async () => {
    expect(await names([])).toEqual([]);
    expect(database.looks).toEqual([]);
  });

  test('are those with our record, where its networks are not known any more', async () => {
    for (const [name, binding] of [
      ['web-01.prod.default', 'dual'],
      ['web-02.prod.default', 'pinned'],
    ] as const) {
      record(model.ports.find((row) => row.name === name)!, binding);
    }
    expect(await names(undefined)).toEqual(['web-01.prod.default']);
    expect(database.looks).toEqual([['Logical_Switch_Port options includes', 'Logical_Switch_Port options includes']]);
  });
});

describe('where a warm function has found ports before', () => {
  test('is known for a minute, with the migration that it was for', async () => {
    jest.useFakeTimers();
    expect(northbound.known(VMI)).toBeUndefined();
    const during = { migration: VMIM_UID, target: 'a pod', isWhole: true };
    northbound.remember(VMI, await northbound.searchPorts(VMI, []), during);
    jest.advanceTimersByTime(59_999);
    expect(northbound.known(VMI)).toMatchObject({ uuids: [a.uuid, b.uuid], ...during });
    jest.advanceTimersByTime(1);
    expect(northbound.known(VMI)).toBeUndefined();
  });

  test('is known of that VM alone, and of none that is forgotten', async () => {
    northbound.remember(VMI, await northbound.searchPorts(VMI, []), {
      migration: undefined,
      target: undefined,
      isWhole: true,
    });
    expect(northbound.known({ ...VMI, namespace: 'other' })).toBeUndefined();
    expect(northbound.known({ ...VMI, name: 'other' })).toBeUndefined();
    northbound.forget({ ...VMI, name: 'other' });
    expect(northbound.known(VMI)).toMatchObject({ migration: undefined });
    northbound.forget(VMI);
    expect(northbound.known(VMI)).toBeUndefined();
  });
});

describe('the ports with our record', () => {
  test('are found by either binding, by VM, and those that are no VM’s left out', async () => {
    record(b);
    record(a, 'dual');
    record(model.addPort('orphan', {}));
    const other = model.addPort('other', { pod: 'prod/other' });
    record(other);
    model.addPort('idle', { pod: 'prod/idle' });
    expect(await northbound.recordedPorts()).toEqual([
      { vmi: VMI, uuids: [a.uuid, b.uuid] },
      { vmi: { namespace: 'prod', name: 'other' }, uuids: [other.uuid] },
    ]);
    const where = (binding: string) => [['options', 'includes', ['map', [['handover-binding', binding]]]]];
    expect(database.transactions.map(({ operations }) => operations)).toMatchObject([
      [{ where: where('pinned') }, { where: where('dual') }],
    ]);
  });

  test('are none in a database at rest', async () => {
    expect(await northbound.recordedPorts()).toEqual([]);
  });
});

describe('a commit', () => {
  const change = async (): Promise<PortChange> => {
    const [port] = await northbound.searchPorts(VMI, []);
    const wanted = {
      rule: '3d',
      step: 'reuse-port',
      isAnyones: false,
      binding: 'pinned',
      node: 'worker-a',
      record: PINNED,
    } as const;
    return { port: port!, wanted, isInterim: false, options: { ...TO_SOURCE, ...recordEntries(PINNED, SINCE) } };
  };

  test('waits for the options as they were read and for the owner, changes the options key by key, and says why', async () => {
    const made = await change();
    await northbound.commit([made], 'because');
    const row = ['_uuid', '==', ['uuid', a.uuid]];
    expect(database.transactions.at(-1)).toEqual({
      options: { timeoutMs: 5_000 },
      operations: [
        {
          op: 'wait',
          timeout: 0,
          table: 'Logical_Switch_Port',
          where: [row, ['external_ids', 'includes', ['map', [['pod', 'prod/web-01']]]]],
          columns: ['options'],
          until: '==',
          rows: [{ options: ['map', [['mcast_flood', 'true']]] }],
        },
        {
          op: 'mutate',
          table: 'Logical_Switch_Port',
          where: [row],
          mutations: [
            ['options', 'delete', ['set', OPTION_KEYS]],
            ['options', 'insert', ['map', Object.entries(made.options)]],
          ],
        },
        { op: 'comment', comment: 'because' },
      ],
    });
    expect(a.options).toEqual({ mcast_flood: 'true', ...made.options });
    expect(b.options).toEqual({ mcast_flood: 'true' });
  });

  test('takes off what is ours and is not to be there, and nothing else', async () => {
    a.write({ options: { mcast_flood: 'true', 'activation-strategy': 'rarp', ...recordEntries(DUAL, new Date()) } });
    await northbound.commit([{ ...(await change()), options: {} }], 'release');
    expect(a.options).toEqual({ mcast_flood: 'true' });
  });

  test('does not mind what others write to external_ids, as long as the row is the VM’s', async () => {
    const made = await change();
    a.write({ externalIds: { pod: 'prod/web-01', security_groups: 'x' } });
    await northbound.commit([made], 'x');
    expect(a.options).toMatchObject(TO_SOURCE);
  });

  test.each<[string, () => void]>([
    ['whose options were changed', () => a.write({ options: {} })],
    ['that became another VM’s', () => a.write({ externalIds: { pod: 'prod/web-02' } })],
    ['that became no VM’s', () => a.write({ externalIds: {} })],
    ['that is gone', () => model.ports.splice(1, 1)],
  ])('on a row %s writes nothing, and is looked at again', async (_what, interfere) => {
    const made = await change();
    interfere();
    const version = a.version;
    const failed = northbound.commit([made], 'x');
    await expect(failed).rejects.toThrow(LookAgainError);
    await expect(failed).rejects.not.toThrow(OutcomeUnknownError);
    await expect(failed).rejects.toMatchObject({
      message: 'a port was changed in between',
      cause: { guardFailed: true },
    });
    expect(a.version).toBe(version);
  });

  test('by names waits for the name', async () => {
    model.addPort('web-01.prod', {});
    northbound = new Northbound(database.client, profileOf('generic', '{vmi}.{namespace}'));
    await northbound.commit([await change()], 'x');
    const [wait] = database.transactions.at(-1)!.operations;
    expect(wait).toMatchObject({ op: 'wait', where: [{}, ['name', '==', 'web-01.prod']] });
  });

  test.each<[string, Error, new (message: string) => Error, string]>([
    [
      'that was not answered',
      new NoAnswerError('transact', 'no answer'),
      OutcomeUnknownError,
      'OVN northbound did not say whether it committed',
    ],
    [
      'that failed by itself',
      new TransactionError(1, undefined, { tag: 'constraint violation', details: 'no' }),
      TryAgainError,
      'OVN northbound: Transaction rejected at commit: constraint violation',
    ],
    [
      'that was not sent',
      new ConnectError('connection rejected'),
      TryAgainError,
      'OVN northbound: connection rejected',
    ],
  ])('%s is told apart', async (_what, error, kind, message) => {
    const made = await change();
    database.before = () => {
      throw error;
    };
    const failed = northbound.commit([made], 'x');
    await expect(failed).rejects.toThrow(kind);
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining(message), cause: error });
  });
});
