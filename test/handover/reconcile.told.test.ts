/** A change is told when it is committed, once, by whoever committed it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OutcomeUnknownError } from 'ovsdb-client-ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { isWrite, Model, REFERENCE, rulesOf } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

test('a commit is told on the VMI although what follows it fails', async () => {
  model.migrate(undefined, true);
  model.beforeExchange = ({ method }) => {
    if (method === 'PATCH') throw new Error('away');
  };
  await expect(model.call('reuse-port')).rejects.toThrow('Kubernetes API: patch pod prod/virt-launcher-vm0-4: away');
  expect(model.binding()).toBe('chassis-a, record pinned');
  expect(model.events).toEqual([
    {
      by: 'reuse-port',
      type: 'Normal',
      reason: 'PortPinned',
      message: 'Port vm0.prod: requested-chassis is chassis-a, for migration kubevirt-migrate-vm0-3 (rule 3d).',
    },
  ]);
});

test('a commit is told although the broker has to bring the event again', async () => {
  model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
  const { pod } = model.migrate(undefined, true);
  await model.call('reuse-port');
  model.plug(pod, 'b');
  model.vm.ports[1]!.write({ options: {} });
  await expect(model.call('reuse-port')).rejects.toThrow(/not yet bound for migration/);
  expect(model.reasons()).toEqual(['PortPinned', 'PortPinned']);
});

test('both commits of one call are told, in their order', async () => {
  const first = model.migrate('b');
  await model.call('enable-dual-chassis');
  model.setPhase(first.uid, 'Failed');
  model.api.deletePod(model.vm, first.pod);
  model.migrate('c');
  model.events.length = 0;
  const { changes } = await model.call('enable-dual-chassis');
  expect(changes.map(({ options }) => options['requested-chassis'])).toEqual(['chassis-a', 'chassis-a,chassis-c']);
  expect(model.reasons()).toEqual(['PortPinned', 'PortDual']);
});

test('nothing is told of a commit that was not made', async () => {
  model.migrate();
  model.before = (request) => {
    if (isWrite(request)) throw new Error('rejected');
  };
  await expect(model.call('reuse-port')).rejects.toThrow('OVN northbound: rejected');
  expect(model.events).toEqual([]);
});

test('a line that cannot be written onto the VMI fails nothing, and stands in the log', async () => {
  model.migrate();
  model.beforeExchange = ({ method }) => {
    if (method === 'POST') throw new Error('away');
  };
  expect(rulesOf(await model.call('reuse-port'))).toEqual(['3d']);
  expect(model.events).toEqual([]);
  expect(model.lines.filter((line) => !line.startsWith('debug'))).toEqual([
    expect.stringMatching(/^info Port vm0\.prod: requested-chassis is chassis-a/),
    expect.stringMatching(/^warn Kubernetes API: create event prod\/vm0\.[0-9a-f]{16}: away$/),
  ]);
});

describe('three functions that release a port at once', () => {
  const names: FunctionName[] = ['release-port', 'disable-dual-chassis', 'reconcile'];

  /** Each is about to commit before any of them has. */
  const atOnce = async () => {
    const arrived = Promise.withResolvers<void>();
    let count = 0;
    const worlds = names.map(() => {
      const world = model.coldWorld();
      const { northbound } = world;
      const commit = northbound.commit.bind(northbound);
      northbound.commit = async (...all) => {
        if (++count === names.length) arrived.resolve();
        await arrived.promise;
        await commit(...all);
      };
      return world;
    });
    return await Promise.all(names.map((name, index) => model.call(name, { vmi: REFERENCE }, worlds[index]!)));
  };

  beforeEach(async () => {
    const { uid, pod } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(uid, 'Failed');
    model.api.deletePod(model.vm, pod);
    model.events.length = 0;
  });

  test('record it once in sum', async () => {
    const results = await atOnce();
    expect(results.flatMap(({ changes }) => changes)).toHaveLength(1);
    expect(model.reasons()).toEqual(['PortReleased']);
    expect(model.binding()).toBe('nothing, record none');
  });
});

describe('an unknown outcome', () => {
  test.each([
    ['that did count is claimed by nobody: others may have made it as well', 'after', []],
    ['that did not count is told once, when it is made', 'before', ['2']],
  ] as const)('of a release %s', async (_what, when, rules) => {
    model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.deleteVmi(model.vm);
    const sent = model.writes().length;
    model[when] = (request) => {
      if (isWrite(request) && model.writes().length === sent + 1)
        throw new OutcomeUnknownError('transact', 'no answer');
    };
    expect(rulesOf(await model.call('release-port'))).toEqual(rules);
    expect(model.port.options).toEqual({ mcast_flood: 'true' });
    expect(model.writes()).toHaveLength(sent + (when === 'after' ? 1 : 2));
    expect(
      model.lines.filter((line) => line.startsWith('info Port vm0.prod: requested-chassis is nothing')),
    ).toHaveLength(rules.length);
  });

  test('is told by the call that sent it, although the row is another one by the time that it looks', async () => {
    model.migrate();
    model.after = (request) => {
      if (!isWrite(request) || model.writes().length > 1) return;
      model.write({ externalIds: { pod: 'prod/vm0', wiped: 'yes' } });
      throw new OutcomeUnknownError('transact', 'no answer');
    };
    expect(rulesOf(await model.call('reuse-port'))).toEqual(['3d']);
    expect(model.reasons()).toEqual(['PortPinned']);
  });
});
