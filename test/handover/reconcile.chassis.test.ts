/** What the chassis are, have claimed and can do. */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { isWrite, Model, REFERENCE } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

describe('a chassis', () => {
  test('that is not there is never written, and the VMI says so', async () => {
    model.migrate('b');
    model.ovn.chassis = model.ovn.chassis.filter(({ hostname }) => hostname !== 'b');
    const createEvent = jest.spyOn(model.api, 'createEvent');
    await expect(model.call('enable-dual-chassis')).rejects.toMatchObject({
      warning: 'ChassisUnknown',
      retryAfterSeconds: 5,
    });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(createEvent.mock.calls).toMatchObject([[{ ...REFERENCE, uid: model.vm.vmi!.metadata.uid }, {}, {}]]);
    expect(model.remarks).toEqual([
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
    model.ovn.chassis = [];
    const { changes } = await model.call('disable-dual-chassis');
    expect(changes).toEqual([]);
    expect(model.remarks).toEqual([]);
  });

  test('whose warning cannot be told is refused all the same', async () => {
    model.migrate('b');
    model.ovn.chassis = [];
    model.api.createEvent = async () => {
      throw new Error('no');
    };
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(TryAgainError);
  });
});

describe('an earlier activation', () => {
  test('that OVN still remembers keeps a target from being armed, without a warning: it passes by itself', async () => {
    model.migrate('b');
    Object.assign(model.ovn.bindings.get('vm0.prod')!, { activated: ['chassis-b', 'chassis-c'] });
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(
      new TryAgainError(
        'port vm0.prod is still marked as activated on chassis-b, chassis-c; ovn-northd has to forget that before it can be armed again',
      ),
    );
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.remarks).toEqual([]);
  });

  test('does not keep a port from being pinned', async () => {
    model.migrate();
    Object.assign(model.ovn.bindings.get('vm0.prod')!, { activated: ['chassis-b'] });
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('is given time to be forgotten: what was dual for another target is pinned first, then armed', async () => {
    const first = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.updateVmim(model.vm, first.uid, { phase: 'Failed' });
    model.migrate('c');
    const bindings: string[] = [];
    model.after = (request) => {
      if (isWrite(request)) bindings.push(model.binding());
    };
    const { changes } = await model.call('enable-dual-chassis');
    expect(bindings).toEqual(['chassis-a, record pinned', 'chassis-a,chassis-c by rarp, record dual']);
    expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['dual']);
  });

  test('is not given time for ever: a port that somebody keeps making dual is given up, for now', async () => {
    model.migrate('b');
    const dual = { 'handover-vmi': 'v', 'handover-migration': 'm', 'handover-binding': 'dual', 'handover-source': 'a' };
    const overwrite = () => {
      model.vm.ports[0]!.externalIds = { pod: 'prod/vm0', ...dual };
    };
    overwrite();
    model.after = (request) => {
      if (isWrite(request)) overwrite();
    };
    await expect(model.call('enable-dual-chassis')).rejects.toThrow(
      /^pinned for this migration, to be armed next, 5 times in a row$/,
    );
  });
});

describe('a dual binding', () => {
  const armed = async (phase: string) => {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.updateVmim(model.vm, uid, { phase });
    return model.vm.vmims[0]!.metadata.name;
  };

  test('that the target has not claimed by the time memory is copied is a warning', async () => {
    const migration = await armed('Running');
    const { warnings } = await model.call('enable-dual-chassis');
    expect(warnings).toMatchObject([
      {
        reason: 'TargetNotClaimed',
        message: expect.stringContaining(`its chassis chassis-b has not claimed it while migration ${migration}`),
      },
    ]);
    expect((await model.call('reconcile')).warnings).toHaveLength(1);
    expect((await model.call('disable-dual-chassis')).warnings).toEqual([]);
  });

  test('is none before that, or where the target has claimed it', async () => {
    await armed('Scheduled');
    expect((await model.call('enable-dual-chassis')).warnings).toEqual([]);
    model.api.updateVmim(model.vm, model.vm.vmims[0]!.metadata.uid, { phase: 'Running' });
    model.ovn.plugged.get('vm0.prod')!.add('a').add('b');
    model.ovn.pass();
    expect((await model.call('enable-dual-chassis')).warnings).toEqual([]);
  });

  test('that OVN southbound knows nothing of is a warning too', async () => {
    await armed('Running');
    model.ovn.bindings.delete('vm0.prod');
    expect((await model.call('enable-dual-chassis')).warnings).toHaveLength(1);
  });

  test('is made also of a port that OVN southbound has no row of yet', async () => {
    model.migrate('b');
    model.ovn.bindings.delete('vm0.prod');
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
  });

  test('that has ended by the switch is none, though KubeVirt still says Running', async () => {
    await armed('Running');
    model.api.markReady(model.vm, model.vm.pods.at(-1)!);
    expect((await model.call('enable-dual-chassis')).warnings).toEqual([]);
  });

  test('claimed by the source alone is a warning too', async () => {
    await armed('Running');
    model.ovn.plugged.get('vm0.prod')!.add('a');
    model.ovn.pass();
    expect((await model.call('enable-dual-chassis')).warnings).toHaveLength(1);
  });
});

describe('a port that its target could not hold', () => {
  const strategy = (activationStrategy: string) => Object.assign(model.world, { activationStrategy });
  const upgrade = (node: string) => {
    model.ovn.chassis.find(({ hostname }) => hostname === node)!.otherConfig = { 'ovn-evpn-vxlan-ports': '' };
  };
  const giveAddresses = (...addresses: string[]) => Object.assign(model.ovn.bindings.get('vm0.prod')!, { addresses });

  test('stays bound to the source, of which a warning tells each time, and nothing is written', async () => {
    strategy('garp');
    const { pod } = model.migrate(undefined, true);
    await model.call('reuse-port');
    model.api.updatePod(model.vm, pod, {}, { nodeName: 'b' });
    const before = model.writes().length;
    for (const name of ['enable-dual-chassis', 'reconcile', 'enable-dual-chassis'] as const) {
      const { changes, warnings } = await model.call(name);
      expect(changes).toEqual([]);
      expect(warnings).toEqual([
        {
          type: 'Warning',
          reason: 'PortCannotBeHeld',
          message:
            'Port vm0.prod stays bound to the source alone until the guest has switched: on b it cannot be held by garp, ' +
            "for ovn-controller knows only rarp there, and would leave the port open. Check OVN_ACTIVATION_STRATEGY, the port's addresses, and OVN's version there.",
        },
      ]);
    }
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.writes()).toHaveLength(before);
  });

  test('and that was bound by nobody yet is bound to the source, so that the target does not take it', async () => {
    giveAddresses('unknown');
    upgrade('b');
    model.migrate('b');
    const { changes, warnings } = await model.call('enable-dual-chassis');
    expect(changes.map(({ options }) => options)).toEqual([{ 'requested-chassis': 'chassis-a' }]);
    expect(warnings.map(({ reason }) => reason)).toEqual(['PortCannotBeHeld']);
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect((await model.call('reuse-port')).admitted?.pod.metadata.name).toBe(model.vm.pods.at(-1)?.metadata.name);
  });

  test('does not keep the VM from its other ports, nor is its target missed', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    giveAddresses('dynamic');
    upgrade('b');
    const { uid } = model.migrate('b');
    // What was bound by nobody is bound to the source first, and looked at again.
    const { warnings } = await model.call('enable-dual-chassis');
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/^Port vm0\.prod stays /)]);
    expect(model.vm.ports.map((port) => model.binding(port))).toEqual([
      'chassis-a, record pinned',
      'chassis-a,chassis-b by rarp, record dual',
    ]);
    model.api.updateVmim(model.vm, uid, { phase: 'Running' });
    const later = (await model.call('enable-dual-chassis')).warnings.map(
      ({ reason, message }) => `${reason} ${message}`,
    );
    expect(later).toEqual([
      expect.stringMatching(/^PortCannotBeHeld Port vm0\.prod stays /),
      expect.stringMatching(/^TargetNotClaimed Port vm0\.prod\.net1 is bound /),
    ]);
  });

  test('goes to the target after the switch like any other', async () => {
    strategy('na');
    upgrade('b');
    const { pod } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.markReady(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
  });

  test('is one that the chassis of the target decides, not the others', async () => {
    strategy('garp,na');
    upgrade('b');
    model.migrate('b');
    expect((await model.call('enable-dual-chassis')).warnings).toEqual([]);
    expect(model.binding()).toBe('chassis-a,chassis-b by garp,na, record dual');
  });
});
