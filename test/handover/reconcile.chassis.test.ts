/** What the chassis are, have claimed and can do. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { isWrite, Model } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

describe('a chassis', () => {
  test('that is not there is never written, and the VMI says so', async () => {
    model.migrate('b');
    model.southbound.removeChassis('chassis-b');
    await expect(model.call('enable-dual-chassis')).rejects.toMatchObject({
      message: expect.stringContaining('lists no chassis with hostname or name b'),
      retryAfterSeconds: 5,
    });
    expect(model.binding()).toBe('nothing, record none');
    expect(model.events).toEqual([
      {
        by: 'enable-dual-chassis',
        type: 'Warning',
        reason: 'ChassisUnknown',
        message: expect.stringContaining('hostname or name b'),
      },
    ]);
  });

  test('that is not needed for this step is not asked for', async () => {
    model.migrate('b');
    model.southbound.chassis = [];
    expect((await model.call('disable-dual-chassis')).changes).toEqual([]);
    expect(model.events).toEqual([]);
  });

  test('that is missing makes the event come again also where nobody can be told', async () => {
    model.migrate('b');
    model.southbound.chassis = [];
    model.beforeExchange = ({ method }) => {
      if (method === 'POST') throw new Error('no');
    };
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(TryAgainError);
    expect(model.events).toEqual([]);
  });

  test('of another availability zone does not count, though it has the hostname of a node', async () => {
    model.southbound.addChassis('remote-1', 'a', { 'is-remote': 'true' });
    model.migrate();
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.warnings()).toEqual([]);
  });

  test('that came back under another name is written anew by the next look while the port is still bound', async () => {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(uid, 'Failed');
    await model.call('disable-dual-chassis');
    model.southbound.removeChassis('chassis-a');
    model.southbound.addChassis('renamed-a', 'a');
    await model.call('reconcile');
    expect(model.binding()).toBe('renamed-a, record pinned');
  });

  test('that came back under another name, and left its old row, is told by what it has claimed', async () => {
    model.migrate('b');
    model.southbound.addChassis('stale-b', 'b');
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(/lists 2 chassis/);
    expect(model.binding()).toBe('nothing, record none');
    model.southbound.bindingOf(model.port).additional = ['chassis-b'];
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
  });

  test('of which nobody knows whether it is alive is a warning that names all of them', async () => {
    model.migrate('b');
    model.southbound.addChassis('stale-b', 'b');
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(/lists 2 chassis \(chassis-b, stale-b\)/);
    expect(model.reasons()).toEqual(['ChassisAmbiguous']);
  });
});

describe('an earlier activation', () => {
  test('that OVN still remembers keeps a target from being armed, without a warning: it passes by itself', async () => {
    const { pod } = model.migrate();
    await model.call('reuse-port');
    model.plug(pod, 'b');
    Object.assign(model.southbound.bindingOf(model.port), { activated: ['chassis-b', 'chassis-c'] });
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(
      new TryAgainError(
        'port vm0.prod is still marked as activated on chassis-b, chassis-c; ovn-northd has to forget that before it can be armed again',
      ),
    );
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.warnings()).toEqual([]);
  });

  test('does not keep a port from being pinned', async () => {
    model.migrate();
    Object.assign(model.southbound.bindingOf(model.port), { activated: ['chassis-b'] });
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('is given time to be forgotten: what was dual for another target is pinned first, then armed', async () => {
    const first = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(first.uid, 'Failed');
    model.api.deletePod(model.vm, first.pod);
    model.migrate('c');
    const bindings: string[] = [];
    model.after = (request) => {
      if (isWrite(request)) bindings.push(model.binding());
    };
    const { changes } = await model.call('enable-dual-chassis');
    expect(bindings).toEqual(['chassis-a, record pinned', 'chassis-a,chassis-c by rarp, record dual']);
    expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['pinned', 'dual']);
  });

  test('is not given time for ever: a port that somebody keeps making dual is given up, for now', async () => {
    model.migrate('b');
    const overwrite = () => model.write({ options: { 'requested-chassis': 'chassis-b,chassis-c' } });
    overwrite();
    model.after = (request) => {
      if (isWrite(request)) overwrite();
    };
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(
      /^bound to the source alone for a moment, to be armed next, 5 times in a row$/,
    );
  });
});

describe('a dual binding', () => {
  /** @returns the name of the migration */
  const armed = async (phase: string, isPlugged: boolean) => {
    const { uid, pod, vmim } = model.migrate('b');
    if (!isPlugged) model.vm.taps.delete(pod.metadata.uid);
    await model.call('enable-dual-chassis');
    model.setPhase(uid, phase);
    return vmim.metadata.name;
  };

  test('that the target has not claimed by the time memory is copied is a warning of those who arm it', async () => {
    const migration = await armed('Running', false);
    for (const name of ['disable-dual-chassis', 'enable-dual-chassis', 'reconcile'] as const) await model.call(name);
    expect(model.warnings()).toMatchObject([
      {
        by: 'enable-dual-chassis',
        reason: 'TargetNotClaimed',
        message: expect.stringContaining(`its chassis chassis-b has not claimed it while migration ${migration}`),
      },
      { by: 'reconcile', reason: 'TargetNotClaimed' },
    ]);
  });

  test('is none before that', async () => {
    await armed('Scheduled', false);
    await model.call('enable-dual-chassis');
    expect(model.warnings()).toEqual([]);
  });

  test('is none where the target has claimed it', async () => {
    await armed('Running', true);
    await model.call('enable-dual-chassis');
    expect(model.warnings()).toEqual([]);
  });

  test('that OVN southbound knows nothing of is a warning too', async () => {
    await armed('Running', true);
    model.southbound.bindings.length = 0;
    await model.call('enable-dual-chassis');
    expect(model.warnings().map(({ reason }) => reason)).toEqual(['TargetNotClaimed']);
  });

  test('is made also of a port that OVN southbound has no row of yet', async () => {
    model.migrate('b');
    model.southbound.bindings.length = 0;
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
  });

  test('that has ended by the switch is none, though KubeVirt still says Running', async () => {
    await armed('Running', false);
    model.api.markReady(model.vm, model.vm.pods.at(-1)!);
    await model.call('enable-dual-chassis');
    expect(model.warnings()).toEqual([]);
  });
});

describe('a port that its target could not hold', () => {
  const strategy = (activationStrategy: string) => Object.assign(model.world, { activationStrategy });
  const upgrade = (node: string) => {
    model.southbound.removeChassis(`chassis-${node}`);
    model.southbound.addChassis(`chassis-${node}`, node, { 'ovn-evpn-vxlan-ports': '' });
  };
  const giveAddresses = (...addresses: string[]) =>
    Object.assign(model.southbound.bindingOf(model.port), { addresses });

  test('stays bound to the source, of which a warning tells, and nothing is written', async () => {
    strategy('garp');
    const { pod } = model.migrate(undefined, true);
    await model.call('reuse-port');
    model.plug(pod, 'b');
    const before = model.writes().length;
    for (const name of ['enable-dual-chassis', 'reconcile', 'enable-dual-chassis'] as const) {
      expect((await model.call(name)).changes).toEqual([]);
    }
    expect(model.warnings()).toEqual(
      ['enable-dual-chassis', 'reconcile'].map((by) => ({
        by,
        type: 'Warning',
        reason: 'PortCannotBeHeld',
        message:
          'Port vm0.prod stays bound to the source alone until the guest has switched: on b it cannot be held by garp, ' +
          "for ovn-controller knows only rarp there, and would leave the port open. Check OVN_ACTIVATION_STRATEGY, the port's addresses, and OVN's version there.",
      })),
    );
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.writes()).toHaveLength(before);
  });

  test('and that was bound by nobody yet is bound to the source, so that the target does not take it', async () => {
    giveAddresses('unknown');
    upgrade('b');
    model.migrate('b');
    const { changes } = await model.call('enable-dual-chassis');
    expect(changes.map(({ options }) => options['requested-chassis'])).toEqual(['chassis-a']);
    expect(model.warnings().map(({ reason }) => reason)).toEqual(['PortCannotBeHeld']);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('does not keep the VM from its other ports, nor is its target missed', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    giveAddresses('dynamic');
    upgrade('b');
    const { uid, pod } = model.migrate('b');
    model.vm.taps.delete(pod.metadata.uid);
    await model.call('enable-dual-chassis');
    expect(model.vm.ports.map((port) => model.binding(port))).toEqual([
      'chassis-a, record pinned',
      'chassis-a,chassis-b by rarp, record dual',
    ]);
    model.setPhase(uid, 'Running');
    await model.call('reconcile');
    expect(model.warnings().map(({ by, reason, message }) => `${by} ${reason} ${message}`)).toEqual([
      expect.stringMatching(/^enable-dual-chassis PortCannotBeHeld Port vm0\.prod stays /),
      expect.stringMatching(/^reconcile TargetNotClaimed Port vm0\.prod\.net1 is bound /),
    ]);
  });

  test('goes to the target after the switch like any other', async () => {
    strategy('na');
    upgrade('b');
    const { pod } = model.migrate('b');
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a, record pinned');
    model.api.markReady(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
  });

  test('is one that the chassis of the target decides, not the others', async () => {
    strategy('garp,na');
    upgrade('b');
    model.migrate('b');
    await model.call('enable-dual-chassis');
    expect(model.warnings()).toEqual([]);
    expect(model.binding()).toBe('chassis-a,chassis-b by garp,na, record dual');
  });
});
