/** What was read may have changed, and nobody may know whether what was written did. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OutcomeUnknownError } from 'ovsdb-client-ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { isWrite, Model, rulesOf } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

/** The first so many writes are carried out, but their answer is lost; or they are lost on their way. */
function loseAnswers(count: number): void {
  model.after = (request) => {
    if (isWrite(request) && model.writes().length <= count) throw new OutcomeUnknownError('transact', 'no answer');
  };
}
function loseRequests(count: number): void {
  model.before = (request) => {
    if (isWrite(request) && model.writes().length <= count) throw new OutcomeUnknownError('transact', 'no answer');
  };
}

describe('the guard', () => {
  test('a row that changed in between is looked at again, and then written', async () => {
    model.migrate();
    model.before = (request) => {
      if (!isWrite(request) || model.writes().length > 1) return;
      model.write({ options: { ...model.port.options, foreign: 'x' } });
    };
    expect((await model.call('reuse-port')).changes).toHaveLength(1);
    expect(model.writes()).toHaveLength(2);
    expect(model.port.options).toMatchObject({ mcast_flood: 'true', foreign: 'x', 'requested-chassis': 'chassis-a' });
    expect(model.lines).toContain('debug a port was changed in between: looking again in 0 ms');
  });

  test('a row of which only external_ids changed in between is written at once, as long as it is the VM’s', async () => {
    model.migrate();
    model.before = (request) => {
      if (isWrite(request)) model.write({ externalIds: { pod: 'prod/vm0', security_groups: 'x' } });
    };
    await model.call('reuse-port');
    expect(model.writes()).toHaveLength(1);
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.port.externalIds).toEqual({ pod: 'prod/vm0', security_groups: 'x' });
  });

  test('a row that became another VM’s in between is not written', async () => {
    model.migrate();
    model.before = (request) => {
      if (isWrite(request)) model.write({ externalIds: { pod: 'prod/other' } });
    };
    await model.call('reuse-port');
    expect(model.binding()).toBe('nothing, record none');
  });

  test('a row that keeps changing is given up after five looks, for now', async () => {
    model.migrate();
    let count = 0;
    model.before = (request) => {
      if (isWrite(request)) model.write({ options: { foreign: String(count++) } });
    };
    const call = model.call('reuse-port');
    await expect(call).rejects.toThrow(/^a port was changed in between, 5 times in a row$/);
    expect(model.writes()).toHaveLength(5);
    expect(model.events).toEqual([]);
  });

  test('an unknown outcome of what did commit is recognised, and told as made', async () => {
    model.migrate();
    loseAnswers(1);
    const { changes } = await model.call('reuse-port');
    expect(changes.map(({ port }) => port.name)).toEqual(['vm0.prod']);
    expect(model.writes()).toHaveLength(1);
    expect(model.reasons()).toEqual(['PortPinned']);
  });

  test('an unknown outcome of what did commit is told of all interfaces', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate();
    loseAnswers(1);
    expect((await model.call('reuse-port')).changes).toHaveLength(2);
    expect(model.reasons()).toEqual(['PortPinned', 'PortPinned']);
  });

  test('an unknown outcome of what did not commit is written after all, and told once', async () => {
    model.migrate();
    loseRequests(1);
    expect((await model.call('reuse-port')).changes).toHaveLength(1);
    expect(model.writes()).toHaveLength(2);
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.reasons()).toEqual(['PortPinned']);
  });

  test('what another one made meanwhile is not told as ours', async () => {
    model.migrate();
    model.before = (request) => {
      if (!isWrite(request) || model.writes().length > 1) return;
      model.northbound.transact(request.operations);
      model.write({ options: { ...model.port.options, 'handover-since': '2026-01-01T00:00:00.000Z' } });
    };
    expect((await model.call('reuse-port')).changes).toEqual([]);
    expect(model.events).toEqual([]);
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
      expect(rulesOf(await model.call('reuse-port'))).toEqual(['3d', '2']);
      expect(model.binding()).toBe('nothing, record none');
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
])(
  'a migration that ends while its port is about to be armed has it pinned again by the same call: %s',
  async (_which, isLater) => {
    if (isLater) {
      const { uid } = model.migrate('b');
      await model.call('enable-dual-chassis');
      model.setPhase(uid, 'Failed');
      await model.call('disable-dual-chassis');
    }
    const { uid } = model.migrate('b');
    const before = model.writes().length;
    model.before = (request) => {
      // Whoever sees the end now finds nothing to change: the row does not name this migration yet.
      if (isWrite(request)) model.setPhase(uid, 'Failed');
    };
    await model.call('enable-dual-chassis');
    expect(model.writes()).toHaveLength(before + 2);
    expect(model.binding()).toBe('chassis-a, record pinned');
  },
);

describe('looks', () => {
  let looks: number;
  beforeEach(() => {
    looks = 0;
    model.beforeExchange = ({ path }) => {
      if (path.at(-2) === 'virtualmachineinstances') looks++;
    };
  });

  test('there is one more after a first record, and after the hand-over, whether it was followed', async () => {
    const { pod } = model.migrate();
    const looksOf = async (name: FunctionName) => {
      looks = 0;
      const { changes } = await model.call(name);
      return [changes.length, looks];
    };
    expect(await looksOf('reuse-port')).toEqual([1, 2]);
    model.plug(pod, 'b');
    expect(await looksOf('enable-dual-chassis')).toEqual([1, 1]);
    model.api.markReady(model.vm, pod);
    expect(await looksOf('disable-dual-chassis')).toEqual([1, 2]);
    model.api.deleteVmi(model.vm);
    expect(await looksOf('release-port')).toEqual([1, 1]);
  });

  test('facts that are older than two seconds are read again before they are acted on', async () => {
    model.migrate();
    const wait = [2_001, 2_000, 0];
    model.before = ({ database }) => {
      if (database === 'SB' && model.writes().length === 0) void model.world.sleep(wait.shift() ?? 0);
    };
    await model.call('reuse-port');
    // The third time because the port has its first record now.
    expect(looks).toBe(3);
    expect(model.writes()).toHaveLength(1);
  });

  test('facts that never come fresh are given up, for now', async () => {
    model.migrate();
    model.before = ({ database }) => {
      if (database === 'SB') void model.world.sleep(2_001);
    };
    await expect(model.call('reuse-port')).rejects.toThrow(
      'the facts went stale before they were acted on, 5 times in a row',
    );
    expect(model.writes()).toEqual([]);
  });

  test('facts that cannot be had make the event come again', async () => {
    model.beforeExchange = () => {
      throw new Error('away');
    };
    await expect(model.call('reuse-port')).rejects.toMatchObject({
      name: 'TryAgainError',
      message: 'Kubernetes API: list VMIMs of VMI prod/vm0: away',
    });
  });

  test('a VMI is not taken for gone where its custom resource is not served for a moment', async () => {
    model.migrate('b');
    await model.call('enable-dual-chassis');
    model.rest.unserved.add('kubevirt.io');
    for (const name of ['release-port', 'disable-dual-chassis', 'reconcile'] as const) {
      await expect(model.call(name)).rejects.toThrow(TryAgainError);
    }
    expect(model.writes()).toHaveLength(1);
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
  });
});
