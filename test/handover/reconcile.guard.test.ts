/** What was read may have changed, and nobody may know whether what was written did. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { OutcomeUnknownError } from 'ovsdb-client-ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { isWrite, Model } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the guard', () => {
  test('a row that changed in between is looked at again, and then written', async () => {
    model.migrate();
    let changed = false;
    model.before = (request) => {
      if (!isWrite(request) || changed) return;
      changed = true;
      model.vm.ports[0]!.options = { ...model.vm.ports[0]!.options, foreign: 'x' };
    };
    const { changes } = await model.call('reuse-port');
    expect(changes).toHaveLength(1);
    expect(model.writes()).toHaveLength(2);
    expect(model.vm.ports[0]!.options).toEqual({ mcast_flood: 'true', foreign: 'x', 'requested-chassis': 'chassis-a' });
  });

  test('a row that keeps changing is given up after five looks, for now', async () => {
    model.migrate();
    let count = 0;
    model.before = (request) => {
      if (isWrite(request)) model.vm.ports[0]!.options = { foreign: String(count++) };
    };
    const refused = model.call('reuse-port');
    await expect(refused).rejects.toThrow(/^a port was changed in between, 5 times in a row$/);
    await expect(refused).rejects.toMatchObject({ cause: { name: 'LookAgainError' } });
    expect(model.writes()).toHaveLength(5);
  });

  test('an unknown outcome of what did commit is recognised, and told as made', async () => {
    model.migrate();
    model.after = (request) => {
      if (isWrite(request)) throw new OutcomeUnknownError('transact', 'no answer');
    };
    const { changes } = await model.call('reuse-port');
    expect(changes.map(({ port }) => port.name)).toEqual(['vm0.prod']);
    expect(model.writes()).toHaveLength(1);
  });

  test('an unknown outcome of what did commit is told of all interfaces', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate();
    model.after = (request) => {
      if (isWrite(request)) throw new OutcomeUnknownError('transact', 'no answer');
    };
    expect((await model.call('reuse-port')).changes).toHaveLength(2);
  });

  test('an unknown outcome of what did not commit is written after all', async () => {
    model.migrate();
    model.before = (request) => {
      if (isWrite(request) && model.writes().length === 1) throw new OutcomeUnknownError('transact', 'no answer');
    };
    const { changes } = await model.call('reuse-port');
    expect(changes).toHaveLength(1);
    expect(model.writes()).toHaveLength(2);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('what another one made meanwhile is not told as ours', async () => {
    model.migrate();
    model.before = (request) => {
      if (!isWrite(request) || model.writes().length > 1) return;
      model.ovn.transact(request.operations);
      const port = model.vm.ports[0]!;
      port.externalIds = { ...port.externalIds, 'handover-since': '2026-01-01T00:00:00.000Z' };
    };
    const { changes } = await model.call('reuse-port');
    expect(changes).toEqual([]);
  });
});

describe('a VM that goes while its port gets its first record', () => {
  const goes = (isAnew: boolean) => {
    model.before = (request) => {
      if (!isWrite(request) || model.writes().length > 1) return;
      model.api.deleteVmi(model.vm);
      if (isAnew) model.api.createVmi(model.vm, 'b', true);
    };
  };

  test.each([
    ['for good', false],
    ['to start anew elsewhere', true],
  ])(
    '%s leaves it bound to nothing, though the events of its end had found nothing to release',
    async (_what, isAnew) => {
      model.migrate();
      goes(isAnew);
      const { changes } = await model.call('reuse-port');
      expect(model.binding()).toBe('nothing, record none');
      expect(changes.map(({ wanted }) => wanted.rule)).toEqual(['2']);
    },
  );

  test.each<FunctionName>(['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port'])(
    'and where the function dies before it can look again, %s takes the record away',
    async (name) => {
      model.migrate();
      goes(true);
      model.after = (request) => {
        if (isWrite(request)) throw new TryAgainError('killed');
      };
      await expect(model.call('reuse-port')).rejects.toThrow('killed');
      expect(model.binding()).toBe('chassis-a, record pinned');
      model.restart();
      model.before = () => {};
      model.after = () => {};
      await model.call(name);
      expect(model.binding()).toBe('nothing, record none');
    },
  );
});

test.each([
  ['the first', false],
  ['a later one', true],
])('a migration that ends while its port is about to be armed leaves it pinned: %s', async (_which, isLater) => {
  if (isLater) {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
    await model.call('disable-dual-chassis');
  }
  const { uid } = model.migrate('b');
  const before = model.writes().length;
  model.before = (request) => {
    // Whoever sees the end now finds nothing to change: the row does not tell of this migration yet.
    if (isWrite(request)) model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
  };
  await model.call('enable-dual-chassis');
  expect(model.writes()).toHaveLength(before + 1);
  expect(model.binding()).toBe('chassis-a, record pinned');
});

test('there is one more look after a first record, and after no other change', async () => {
  const { pod } = model.migrate();
  const get = jest.spyOn(model.api, 'getVmi');
  const looksOf = async (name: FunctionName) => {
    get.mockClear();
    const { changes } = await model.call(name);
    return [changes.length, get.mock.calls.length];
  };
  expect(await looksOf('reuse-port')).toEqual([1, 2]);
  model.api.updatePod(model.vm, pod, {}, { nodeName: 'b' });
  expect(await looksOf('enable-dual-chassis')).toEqual([1, 1]);
  model.api.markReady(model.vm, pod);
  expect(await looksOf('disable-dual-chassis')).toEqual([1, 1]);
  model.api.deleteVmi(model.vm);
  expect(await looksOf('release-port')).toEqual([1, 1]);
});

describe('facts', () => {
  test('that are older than two seconds are read again before they are acted on', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    model.migrate();
    const wait = [2_001, 2_000, 0];
    model.before = ({ database }) => {
      if (database === 'SB' && model.writes().length === 0) jest.advanceTimersByTime(wait.shift() ?? 0);
    };
    const get = jest.spyOn(model.api, 'getVmi');
    await model.call('reuse-port');
    // The third time because the port has its first record now.
    expect(get).toHaveBeenCalledTimes(3);
    expect(model.writes()).toHaveLength(1);
  });

  test('that never come fresh are given up, for now', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    model.migrate();
    model.before = ({ database }) => {
      if (database === 'SB') jest.advanceTimersByTime(2_001);
    };
    await expect(model.call('reuse-port')).rejects.toThrow(
      'the facts went stale before they were acted on, 5 times in a row',
    );
    expect(model.writes()).toEqual([]);
  });

  test('that cannot be had make it come again', async () => {
    jest.spyOn(model.api, 'getVmi').mockRejectedValue(new TryAgainError('Kubernetes API: away'));
    await expect(model.call('reuse-port')).rejects.toThrow('Kubernetes API: away');
  });
});
