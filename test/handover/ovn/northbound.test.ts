import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ConnectError, OutcomeUnknownError, TransactionError } from 'ovsdb-client-ts';
import { LookAgainError, TryAgainError } from '../../../handover/decision/errors.ts';
import type { PortChange } from '../../../handover/decision/port.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import { Model, REFERENCE, type Request } from '../support/model.ts';
import { PINNED, SINCE } from '../support/ports.ts';

let model: Model;
beforeEach(() => {
  model = new Model({ ports: ['b.prod', 'a.prod'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const northbound = () => model.world.northbound;
const conditions = ({ operations }: Request) =>
  operations.map((each) => (each.op === 'select' ? `${each.where[0]![0]} ${each.where[0]![1]}` : each.op));

describe('the ports of a VM', () => {
  test('come by name, with all that a hand-over looks at, within five seconds', async () => {
    const ports = await northbound().portsOf(REFERENCE);
    expect(ports.map(({ name }) => name)).toEqual(['a.prod', 'b.prod']);
    expect(ports[0]).toEqual({
      uuid: model.vm.ports[1]!.uuid,
      name: 'a.prod',
      addresses: ['0a:00:00:00:00:01 10.0.0.10'],
      options: { mcast_flood: 'true' },
      externalIds: { pod: 'prod/vm0' },
    });
    expect(model.requests).toMatchObject([
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
  });

  test('are searched once, and for a minute found by their uuids', async () => {
    jest.useFakeTimers();
    await northbound().portsOf(REFERENCE);
    jest.advanceTimersByTime(59_999);
    await northbound().portsOf(REFERENCE);
    jest.advanceTimersByTime(1);
    await northbound().portsOf(REFERENCE);
    expect(model.requests.map(conditions)).toEqual([
      ['external_ids includes'],
      ['_uuid ==', '_uuid =='],
      ['external_ids includes'],
    ]);
  });

  test('of another namespace are not remembered for this one', async () => {
    await northbound().portsOf({ ...REFERENCE, namespace: 'other' });
    expect(await northbound().portsOf(REFERENCE)).toHaveLength(2);
  });

  test('that were not there are searched again', async () => {
    const nobody = { namespace: 'prod', name: 'nobody' };
    await northbound().portsOf(nobody);
    await northbound().portsOf(nobody);
    expect(model.requests.map(conditions)).toEqual([['external_ids includes'], ['external_ids includes']]);
  });

  test('are found by what is remembered before what an event hints at', async () => {
    await northbound().portsOf(REFERENCE);
    const ports = await northbound().portsOf(REFERENCE, ['99999999-9999-4999-8999-999999999999']);
    expect(ports).toHaveLength(2);
    expect(model.requests.map(conditions)[1]).toEqual(['_uuid ==', '_uuid ==']);
  });

  test("hinted at by one row of theirs and one of another VM's are searched", async () => {
    const hint = [model.vm.ports[0]!.uuid, model.ovn.addPort('other', { pod: 'prod/other' }).uuid];
    expect((await northbound().portsOf(REFERENCE, hint)).map(({ name }) => name)).toEqual(['a.prod', 'b.prod']);
  });

  test.each<[string, () => string[]]>([
    ['a row that is gone', () => ['99999999-9999-4999-8999-999999999999']],
    ["another VM's row", () => [model.ovn.addPort('other', { pod: 'prod/other' }).uuid]],
  ])('hinted at by %s are searched', async (_what, hint) => {
    expect(await northbound().portsOf(REFERENCE, hint())).toHaveLength(2);
    expect(model.requests.map(conditions)).toEqual([['_uuid =='], ['external_ids includes']]);
  });

  test.each([['dynamic'], ['dynamic 10.0.0.9'], ['0a:00:00:00:00:09 dynamic']])(
    'have the addresses that OVN chose, where it was to choose them: %s',
    async (address) => {
      const { transact } = model.ovn;
      model.ovn.transact = (operations) => {
        const { results, changes } = transact.call(model.ovn, operations);
        const dynamic = {
          addresses: ['set', [address, '0a:00:00:00:00:02 unknown']],
          dynamic_addresses: '0a:00:00:00:00:09 10.0.0.9',
        };
        return {
          results: results.map((each) => ({
            ...each,
            rows: each.rows!.map((row) => ({ ...row, ...dynamic }) as unknown as typeof row),
          })),
          changes,
        };
      };
      const [port] = await northbound().portsOf(REFERENCE);
      expect(port!.addresses).toEqual(['0a:00:00:00:00:09 10.0.0.9', '0a:00:00:00:00:02 unknown']);
    },
  );

  test('cannot be had while the database is away: it is to come again, and says why', async () => {
    model.before = () => {
      throw new ConnectError('connection refused');
    };
    const asked = northbound().portsOf(REFERENCE);
    await expect(asked).rejects.toThrow(TryAgainError);
    await expect(asked).rejects.toThrow(/^OVN northbound: .*connection refused/);
  });
});

describe('the ports with our record', () => {
  test('are found by either binding, by VM, and those that are no VM’s left out', async () => {
    const [first, second] = model.vm.ports;
    first!.externalIds = { ...first!.externalIds, ...recordEntries(PINNED, SINCE) };
    second!.externalIds = { ...second!.externalIds, ...recordEntries({ ...PINNED, binding: 'dual' }, SINCE) };
    model.ovn.addPort('orphan', { ...recordEntries(PINNED, SINCE) });
    const other = model.ovn.addPort('other', { pod: 'prod/other', ...recordEntries(PINNED, SINCE) });
    model.ovn.addPort('idle', { pod: 'prod/idle' });
    const found = await northbound().recordedPorts();
    expect(found.map(({ vmi, uuids }) => [vmi, [...uuids].sort()])).toEqual([
      [REFERENCE, [first!.uuid, second!.uuid].sort()],
      [{ namespace: 'prod', name: 'other' }, [other.uuid]],
    ]);
    expect(model.requests.map(conditions)).toEqual([['external_ids includes', 'external_ids includes']]);
  });
});

describe('a commit', () => {
  const change = async (): Promise<PortChange> => {
    const [port] = await northbound().portsOf(REFERENCE);
    const wanted = { rule: '3d', step: 'reuse-port', binding: 'pinned', node: 'a', record: PINNED } as const;
    return {
      port: port!,
      wanted,
      options: { 'requested-chassis': 'chassis-a' },
      externalIds: recordEntries(PINNED, SINCE),
    };
  };

  test('waits for the row as it was read, changes it key by key, and says why', async () => {
    const made = await change();
    await northbound().commit([made], 'because');
    const where = [['_uuid', '==', ['uuid', made.port.uuid]]];
    const ours = [
      'handover-vmi',
      'handover-migration',
      'handover-binding',
      'handover-source',
      'handover-target',
      'handover-since',
    ];
    expect(model.requests.at(-1)).toMatchObject({
      options: { timeoutMs: 5_000 },
      operations: [
        {
          op: 'wait',
          timeout: 0,
          table: 'Logical_Switch_Port',
          where,
          columns: ['options', 'external_ids'],
          until: '==',
          rows: [{ options: ['map', [['mcast_flood', 'true']]], external_ids: ['map', [['pod', 'prod/vm0']]] }],
        },
        {
          op: 'mutate',
          table: 'Logical_Switch_Port',
          where,
          mutations: [
            ['options', 'delete', ['set', ['requested-chassis', 'activation-strategy']]],
            ['options', 'insert', ['map', [['requested-chassis', 'chassis-a']]]],
            ['external_ids', 'delete', ['set', ours]],
            ['external_ids', 'insert', ['map', expect.arrayContaining([['handover-binding', 'pinned']])]],
          ],
        },
        { op: 'comment', comment: 'because' },
      ],
    });
  });

  test('on a row that changed is looked at again', async () => {
    const made = await change();
    model.vm.ports[1]!.options = {};
    const refused = northbound().commit([made], 'x');
    await expect(refused).rejects.toThrow(LookAgainError);
    await expect(refused).rejects.toMatchObject({
      message: 'a port was changed in between',
      cause: { guardFailed: true },
    });
  });

  test.each<[string, Error, new (message: string) => Error, string]>([
    [
      'that was not answered',
      new OutcomeUnknownError('transact', 'no answer'),
      LookAgainError,
      'OVN northbound did not say whether it committed',
    ],
    [
      'that was refused for itself',
      new TransactionError(1, undefined, { tag: 'constraint violation', details: 'no' }),
      TryAgainError,
      'OVN northbound: Transaction refused at commit: constraint violation',
    ],
    ['that was not sent', new ConnectError('connection refused'), TryAgainError, 'OVN northbound: connection refused'],
  ])('%s is told apart', async (_what, error, kind, message) => {
    const made = await change();
    model.before = () => {
      throw error;
    };
    const refused = northbound().commit([made], 'x');
    await expect(refused).rejects.toThrow(kind);
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(message), cause: error });
  });
});
