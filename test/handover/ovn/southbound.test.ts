import { beforeEach, describe, expect, test } from '@jest/globals';
import { ConnectError } from 'ovsdb-client-ts';
import { TryAgainError } from '../../../handover/decision/errors.ts';
import { Model, type Request } from '../support/model.ts';

const NAMES = ['vm0.prod', 'vm0.prod.net1'];
let model: Model;
beforeEach(() => {
  model = new Model({ ports: NAMES });
});
const southbound = () => model.world.southbound;
const bindingOf = (name: string) => model.ovn.bindings.get(name)!;
const conditions = ({ operations }: Request) =>
  operations.map((each) => (each.op === 'select' ? `${each.table} ${each.where[0]!.slice(0, 2).join(' ')}` : each.op));

describe('the chassis of nodes', () => {
  test('are asked for in one request, by hostname and by name, within five seconds', async () => {
    expect(await southbound().chassisOf(['a', 'chassis-b'])).toEqual(
      new Map([
        ['a', { name: 'chassis-a', strategySupport: 'rarp-only' }],
        ['chassis-b', { name: 'chassis-b', strategySupport: 'rarp-only' }],
      ]),
    );
    expect(model.requests.map(conditions)).toEqual([
      ['Chassis hostname ==', 'Chassis name ==', 'Chassis hostname ==', 'Chassis name =='],
    ]);
    expect(model.requests[0]).toMatchObject({
      options: { timeoutMs: 5_000 },
      operations: [{ columns: ['_uuid', 'hostname', 'name', 'other_config'] }, {}, {}, {}],
    });
  });

  test('of no node are not asked for', async () => {
    expect(await southbound().chassisOf([])).toEqual(new Map());
    expect(model.requests).toEqual([]);
  });

  test.each([
    ['unknown', 'z', 'ChassisUnknown', 'OVN southbound lists no chassis with hostname or name z, expected one: '],
    [
      'ambiguous',
      'a',
      'ChassisAmbiguous',
      'OVN southbound lists 2 chassis (chassis-a, stale) with hostname or name a, ',
    ],
  ])('that are %s are refused for five seconds, with a warning', async (_what, node, warning, said) => {
    model.ovn.chassis.unshift({ uuid: '30000000-0000-4000-8000-999999999999', name: 'stale', hostname: 'a' });
    const refused = southbound().chassisOf([node]);
    await expect(refused).rejects.toThrow(TryAgainError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining(said),
      retryAfterSeconds: 5,
      warning,
    });
  });

  test('cannot be had while the database is away', async () => {
    const error = new ConnectError('connection refused');
    model.before = () => {
      throw error;
    };
    const refused = southbound().chassisOf(['a']);
    await expect(refused).rejects.toThrow(TryAgainError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringMatching(/^OVN southbound: .*refused/),
      cause: error,
    });
  });
});

describe('the bindings of ports', () => {
  test('say who has claimed them and whom a RARP has opened', async () => {
    Object.assign(bindingOf('vm0.prod'), {
      main: 'chassis-a',
      additional: ['chassis-b'],
      activated: ['chassis-b', 'chassis-c'],
    });
    const uuidOf = (name: string) => model.ovn.chassis.find((each) => each.name === name)!.uuid;
    expect(await southbound().bindingsOf(NAMES)).toEqual([
      {
        uuid: bindingOf('vm0.prod').uuid,
        port: 'vm0.prod',
        addresses: ['0a:00:00:00:00:01 10.0.0.10'],
        activated: ['chassis-b', 'chassis-c'],
        claimants: [uuidOf('chassis-a'), uuidOf('chassis-b')],
      },
      expect.objectContaining({ port: 'vm0.prod.net1', activated: [], claimants: [] }),
    ]);
    expect(model.requests.map(conditions)).toEqual([['Port_Binding logical_port ==', 'Port_Binding logical_port ==']]);
    expect(model.requests[0]!.operations[0]).toMatchObject({
      columns: ['_uuid', 'logical_port', 'mac', 'options', 'chassis', 'additional_chassis'],
    });
  });

  test('are found by a hint of all of them', async () => {
    const bindings = await southbound().bindingsOf(
      NAMES,
      NAMES.map((name) => bindingOf(name).uuid),
    );
    expect(bindings.map(({ port }) => port)).toEqual(NAMES);
    expect(model.requests.map(conditions)).toEqual([['Port_Binding _uuid ==', 'Port_Binding _uuid ==']]);
  });

  test('are searched where the hint is of some of them, or of others', async () => {
    model.ovn.addPort('other', {});
    for (const hint of [['vm0.prod'], ['vm0.prod', 'other']]) {
      model.restart();
      const bindings = await southbound().bindingsOf(
        NAMES,
        hint.map((name) => bindingOf(name).uuid),
      );
      expect(bindings.map(({ port }) => port)).toEqual(NAMES);
    }
  });

  test('are found by what is remembered of all of them, before what an event hints at', async () => {
    const asked = async (names: string[], hint: string[] = []) => {
      expect((await southbound().bindingsOf(names, hint)).map(({ port }) => port)).toEqual(names);
      return conditions(model.requests.at(-1)!);
    };
    expect(await asked([NAMES[0]!])).toEqual(['Port_Binding logical_port ==']);
    expect(await asked([NAMES[0]!], ['99999999-9999-4999-8999-999999999999'])).toEqual(['Port_Binding _uuid ==']);
    expect(await asked(NAMES)).toEqual(['Port_Binding logical_port ==', 'Port_Binding logical_port ==']);
    expect(await asked(NAMES)).toEqual(['Port_Binding _uuid ==', 'Port_Binding _uuid ==']);
  });

  test('of no port ask nothing, also by a hint', async () => {
    expect(await southbound().bindingsOf([], [bindingOf('vm0.prod').uuid])).toEqual([]);
    expect(await southbound().claimsOf([])).toEqual(new Map());
    expect(model.requests).toEqual([]);
  });

  test('tell the claims by the names of the chassis, and leave out one that is gone', async () => {
    Object.assign(bindingOf('vm0.prod'), { main: 'chassis-a', additional: ['chassis-b'] });
    model.after = (request) => {
      if (conditions(request)[0]!.startsWith('Port_Binding')) model.ovn.chassis = model.ovn.chassis.slice(0, 1);
    };
    expect(await southbound().claimsOf(NAMES)).toEqual(
      new Map([
        ['vm0.prod', ['chassis-a']],
        ['vm0.prod.net1', []],
      ]),
    );
    expect(model.requests.map(conditions)).toEqual([
      ['Port_Binding logical_port ==', 'Port_Binding logical_port =='],
      ['Chassis _uuid ==', 'Chassis _uuid =='],
    ]);
  });

  test('that nobody has claimed ask for no chassis, also by a hint', async () => {
    await southbound().claimsOf(
      NAMES,
      NAMES.map((name) => bindingOf(name).uuid),
    );
    expect(model.requests.map(conditions)).toEqual([['Port_Binding _uuid ==', 'Port_Binding _uuid ==']]);
  });
});
