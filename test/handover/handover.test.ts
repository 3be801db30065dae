import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { OutcomeUnknownError } from 'ovsdb-client-ts';
import type { FunctionName } from '../../handover/desired.ts';
import { TryAgainError } from '../../handover/errors.ts';
import { handOver } from '../../handover/handover.ts';
import { hintAnnotation } from '../../handover/hint.ts';
import { Model, REFERENCE, type Request } from './support/model.ts';

const OCCASION = { vmi: REFERENCE, hint: undefined };
let model: Model;
beforeEach(() => {
  model = new Model();
});
afterEach(() => {
  jest.useRealTimers();
});

const call = (name: FunctionName, occasion: Parameters<typeof handOver>[1] = OCCASION) =>
  handOver(name, occasion, model.world);
const isWrite = ({ operations }: Request) => operations.some(({ op }) => op === 'mutate');
const writes = () => model.requests.filter(isWrite);
const searches = () =>
  model.requests
    .filter(({ database }) => database === 'NB')
    .flatMap(({ operations }) => operations.flatMap((each) => (each.op === 'select' ? [each.where[0]![0]] : [])));

describe('each function makes its own step', () => {
  test.each<[FunctionName, string | undefined, string, string]>([
    ['reuse-port', undefined, 'chassis-a, record pinned', '3d'],
    ['enable-dual-chassis', 'b', 'chassis-a,chassis-b by rarp, record dual', '3b'],
    ['reconcile', undefined, 'chassis-a, record pinned', '3d'],
    ['reconcile', 'b', 'chassis-a,chassis-b by rarp, record dual', '3b'],
  ])('%s, target on %s: %s', async (name, node, binding, rule) => {
    model.migrate(node);
    const { changes } = await call(name);
    expect(changes.map(({ wanted }) => wanted.rule)).toEqual([rule]);
    expect(model.binding()).toBe(binding);
  });

  test.each<[FunctionName, string | undefined]>([
    ['enable-dual-chassis', undefined],
    ['disable-dual-chassis', undefined],
    ['release-port', undefined],
    ['reuse-port', 'b'],
    ['disable-dual-chassis', 'b'],
    ['release-port', 'b'],
  ])("%s, target on %s, leaves another's step to it", async (name, node) => {
    model.migrate(node);
    // reuse-port waits for the dual binding of a target that has its node already.
    await call(name).catch(() => {});
    expect(model.binding()).toBe('nothing, record none');
    expect(writes()).toEqual([]);
  });

  test('the whole way: pinned, dual, pinned to the target, and released when the VM is gone', async () => {
    const { pod } = model.migrate();
    await call('reuse-port');
    model.api.updatePod(model.vm, pod, {}, { nodeName: 'b' });
    await call('enable-dual-chassis');
    model.api.markReady(model.vm, pod);
    await call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
    model.api.deleteVmi(model.vm);
    await call('release-port');
    expect(model.binding()).toBe('nothing, record none');
  });

  test('all interfaces in one transaction, which says who, for whom and by which rules', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { vmim } = model.migrate();
    await call('reuse-port');
    expect(writes()).toHaveLength(1);
    expect(writes()[0]!.operations.at(-1)).toEqual({
      op: 'comment',
      comment: `ovn-handover reuse-port: VMI prod/vm0 ${model.vm.vmi!.metadata.uid}, VMIM ${vmim.metadata.name} ${vmim.metadata.uid}, rule 3d`,
    });
    for (const port of model.vm.ports) expect(model.binding(port)).toBe('chassis-a, record pinned');
  });

  test('a release says so too, of a VMI that is gone and no migration', async () => {
    model.migrate();
    await call('reuse-port');
    model.api.deleteVmi(model.vm);
    await call('release-port');
    expect(writes().at(-1)!.operations.at(-1)).toMatchObject({
      comment: 'ovn-handover release-port: VMI prod/vm0 gone, no VMIM, rule 2',
    });
  });

  test('what reconcile writes names each rule once', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1', 'vm0.prod.net2'] });
    const { uid } = model.migrate();
    await call('reuse-port');
    model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
    // An interface that came since has no record.
    model.vm.ports[2]!.externalIds = { pod: 'prod/vm0' };
    await call('reconcile');
    expect(writes().at(-1)!.operations.at(-1)).toMatchObject({
      comment: expect.stringMatching(/^ovn-handover reconcile: .*, rule 4,5$/),
    });
  });

  test('twice is nothing to do', async () => {
    model.migrate();
    await call('reuse-port');
    const { changes, warnings } = await call('reuse-port');
    expect({ changes, warnings }).toEqual({ changes: [], warnings: [] });
    expect(writes()).toHaveLength(1);
  });
});

describe('a target pod', () => {
  test('is let go by reuse-port once the port is pinned, with the way to the port and its binding', async () => {
    const { pod } = model.migrate(undefined, true);
    const { admitted } = await call('reuse-port');
    const present = model.vm.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)!;
    expect(present.spec.schedulingGates).toEqual([]);
    const [port] = model.vm.ports;
    const binding = model.ovn.bindings.get('vm0.prod')!;
    expect(present.metadata.annotations).toMatchObject(
      hintAnnotation({ ports: [port!.uuid], bindings: [binding.uuid] }),
    );
    expect(admitted?.pod.metadata.uid).toBe(pod.metadata.uid);
  });

  test.each<FunctionName>(['enable-dual-chassis', 'disable-dual-chassis', 'release-port'])(
    'is not let go by %s',
    async (name) => {
      const { pod } = model.migrate(undefined, true);
      const { admitted } = await call(name);
      expect(admitted).toBeUndefined();
      expect(
        model.vm.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)!.spec.schedulingGates,
      ).toHaveLength(1);
    },
  );

  test('that was changed in between is looked at again', async () => {
    const { pod } = model.migrate(undefined, true);
    let changed = false;
    model.before = ({ database }) => {
      if (database !== 'SB' || changed || writes().length === 0) return;
      changed = true;
      model.api.updatePod(model.vm, pod, { annotations: { somebody: 'else' } });
    };
    await call('reuse-port');
    const present = model.vm.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)!;
    expect(present.spec.schedulingGates).toEqual([]);
    expect(present.metadata.annotations).toHaveProperty('somebody');
  });
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
    const { changes } = await call('reuse-port');
    expect(changes).toHaveLength(1);
    expect(writes()).toHaveLength(2);
    expect(model.vm.ports[0]!.options).toEqual({ mcast_flood: 'true', foreign: 'x', 'requested-chassis': 'chassis-a' });
  });

  test('a row that keeps changing is given up after five looks, for now', async () => {
    model.migrate();
    let count = 0;
    model.before = (request) => {
      if (isWrite(request)) model.vm.ports[0]!.options = { foreign: String(count++) };
    };
    const refused = call('reuse-port');
    await expect(refused).rejects.toThrow(/^a port was changed in between, 5 times in a row$/);
    await expect(refused).rejects.toMatchObject({ cause: { name: 'LookAgainError' } });
    expect(writes()).toHaveLength(5);
  });

  test('an unknown outcome of what did commit is recognised, and told as made', async () => {
    model.migrate();
    model.after = (request) => {
      if (isWrite(request)) throw new OutcomeUnknownError('transact', 'no answer');
    };
    const { changes } = await call('reuse-port');
    expect(changes.map(({ port }) => port.name)).toEqual(['vm0.prod']);
    expect(writes()).toHaveLength(1);
  });

  test('an unknown outcome of what did commit is told of all interfaces', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate();
    model.after = (request) => {
      if (isWrite(request)) throw new OutcomeUnknownError('transact', 'no answer');
    };
    expect((await call('reuse-port')).changes).toHaveLength(2);
  });

  test('an unknown outcome of what did not commit is written after all', async () => {
    model.migrate();
    model.before = (request) => {
      if (isWrite(request) && writes().length === 1) throw new OutcomeUnknownError('transact', 'no answer');
    };
    const { changes } = await call('reuse-port');
    expect(changes).toHaveLength(1);
    expect(writes()).toHaveLength(2);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('what another one made meanwhile is not told as ours', async () => {
    model.migrate();
    model.before = (request) => {
      if (!isWrite(request) || writes().length > 1) return;
      model.ovn.transact(request.operations);
      const port = model.vm.ports[0]!;
      port.externalIds = { ...port.externalIds, 'handover-since': '2026-01-01T00:00:00.000Z' };
    };
    const { changes } = await call('reuse-port');
    expect(changes).toEqual([]);
  });
});

describe('facts', () => {
  test('that are older than two seconds are read again before they are acted on', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    model.migrate();
    const wait = [2_001, 2_000, 0];
    model.before = ({ database }) => {
      if (database === 'SB' && writes().length === 0) jest.advanceTimersByTime(wait.shift() ?? 0);
    };
    const get = jest.spyOn(model.api, 'getVmi');
    await call('reuse-port');
    expect(get).toHaveBeenCalledTimes(2);
    expect(writes()).toHaveLength(1);
  });

  test('that never come fresh are given up, for now', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    model.migrate();
    model.before = ({ database }) => {
      if (database === 'SB') jest.advanceTimersByTime(2_001);
    };
    await expect(call('reuse-port')).rejects.toThrow(
      'the facts went stale before they were acted on, 5 times in a row',
    );
    expect(writes()).toEqual([]);
  });

  test('that cannot be had make it come again', async () => {
    jest.spyOn(model.api, 'getVmi').mockRejectedValue(new TryAgainError('Kubernetes API: away'));
    await expect(call('reuse-port')).rejects.toThrow('Kubernetes API: away');
  });
});

describe('a chassis', () => {
  test('that is not there is never written, and the VMI says so', async () => {
    model.migrate('b');
    model.ovn.chassis = model.ovn.chassis.filter(({ hostname }) => hostname !== 'b');
    const createEvent = jest.spyOn(model.api, 'createEvent');
    await expect(call('enable-dual-chassis')).rejects.toMatchObject({
      warning: 'ChassisUnknown',
      retryAfterSeconds: 5,
    });
    expect(writes()).toEqual([]);
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
    const { changes } = await call('disable-dual-chassis');
    expect(changes).toEqual([]);
    expect(model.remarks).toEqual([]);
  });

  test('whose warning cannot be told is refused all the same', async () => {
    model.migrate('b');
    model.ovn.chassis = [];
    model.api.createEvent = async () => {
      throw new Error('no');
    };
    await expect(call('enable-dual-chassis')).rejects.toThrow(TryAgainError);
  });
});

describe('an earlier activation', () => {
  test('that OVN still remembers keeps a target from being armed, without a warning: it passes by itself', async () => {
    model.migrate('b');
    Object.assign(model.ovn.bindings.get('vm0.prod')!, { activated: ['chassis-b', 'chassis-c'] });
    await expect(call('enable-dual-chassis')).rejects.toThrow(
      new TryAgainError(
        'port vm0.prod is still marked as activated on chassis-b, chassis-c; ovn-northd has to forget that before it can be armed again',
      ),
    );
    expect(writes()).toEqual([]);
    expect(model.remarks).toEqual([]);
  });

  test('does not keep a port from being pinned', async () => {
    model.migrate();
    Object.assign(model.ovn.bindings.get('vm0.prod')!, { activated: ['chassis-b'] });
    await call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('is given time to be forgotten: what was dual for another target is pinned first, then armed', async () => {
    const first = model.migrate('b');
    await call('enable-dual-chassis');
    model.api.updateVmim(model.vm, first.uid, { phase: 'Failed' });
    model.migrate('c');
    const bindings: string[] = [];
    model.after = (request) => {
      if (isWrite(request)) bindings.push(model.binding());
    };
    const { changes } = await call('enable-dual-chassis');
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
    await expect(call('enable-dual-chassis')).rejects.toThrow(
      /^pinned for a moment before it is armed again, 5 times in a row$/,
    );
  });
});

describe('a dual binding', () => {
  const armed = async (phase: string) => {
    const { uid } = model.migrate('b');
    await call('enable-dual-chassis');
    model.api.updateVmim(model.vm, uid, { phase });
    return model.vm.vmims[0]!.metadata.name;
  };

  test('that the target has not claimed by the time memory is copied is a warning', async () => {
    const migration = await armed('Running');
    const { warnings } = await call('enable-dual-chassis');
    expect(warnings).toMatchObject([
      {
        reason: 'TargetNotClaimed',
        message: expect.stringContaining(`its chassis chassis-b has not claimed it while migration ${migration}`),
      },
    ]);
    expect((await call('reconcile')).warnings).toHaveLength(1);
    expect((await call('disable-dual-chassis')).warnings).toEqual([]);
  });

  test('is none before that, or where the target has claimed it', async () => {
    await armed('Scheduled');
    expect((await call('enable-dual-chassis')).warnings).toEqual([]);
    model.api.updateVmim(model.vm, model.vm.vmims[0]!.metadata.uid, { phase: 'Running' });
    model.ovn.plugged.get('vm0.prod')!.add('a').add('b');
    model.ovn.pass();
    expect((await call('enable-dual-chassis')).warnings).toEqual([]);
  });

  test('that OVN southbound knows nothing of is a warning too', async () => {
    await armed('Running');
    model.ovn.bindings.delete('vm0.prod');
    expect((await call('enable-dual-chassis')).warnings).toHaveLength(1);
  });

  test('is made also of a port that OVN southbound has no row of yet', async () => {
    model.migrate('b');
    model.ovn.bindings.delete('vm0.prod');
    await call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
  });

  test('that has ended by the switch is none, though KubeVirt still says Running', async () => {
    await armed('Running');
    model.api.markReady(model.vm, model.vm.pods.at(-1)!);
    expect((await call('enable-dual-chassis')).warnings).toEqual([]);
  });

  test('claimed by the source alone is a warning too', async () => {
    await armed('Running');
    model.ovn.plugged.get('vm0.prod')!.add('a');
    model.ovn.pass();
    expect((await call('enable-dual-chassis')).warnings).toHaveLength(1);
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
    await call('reuse-port');
    model.api.updatePod(model.vm, pod, {}, { nodeName: 'b' });
    const before = writes().length;
    for (const name of ['enable-dual-chassis', 'reconcile', 'enable-dual-chassis'] as const) {
      const { changes, warnings } = await call(name);
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
    expect(writes()).toHaveLength(before);
  });

  test('and that was bound by nobody yet is bound to the source, so that the target does not take it', async () => {
    giveAddresses('unknown');
    upgrade('b');
    model.migrate('b');
    const { changes, warnings } = await call('enable-dual-chassis');
    expect(changes.map(({ options }) => options)).toEqual([{ 'requested-chassis': 'chassis-a' }]);
    expect(warnings.map(({ reason }) => reason)).toEqual(['PortCannotBeHeld']);
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect((await call('reuse-port')).admitted?.pod.metadata.name).toBe(model.vm.pods.at(-1)?.metadata.name);
  });

  test('does not keep the VM from its other ports, nor is its target missed', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    giveAddresses('dynamic');
    upgrade('b');
    const { uid } = model.migrate('b');
    // What was bound by nobody is bound to the source first, and looked at again.
    const { warnings } = await call('enable-dual-chassis');
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/^Port vm0\.prod stays /)]);
    expect(model.vm.ports.map((port) => model.binding(port))).toEqual([
      'chassis-a, record pinned',
      'chassis-a,chassis-b by rarp, record dual',
    ]);
    model.api.updateVmim(model.vm, uid, { phase: 'Running' });
    const later = (await call('enable-dual-chassis')).warnings.map(({ reason, message }) => `${reason} ${message}`);
    expect(later).toEqual([
      expect.stringMatching(/^PortCannotBeHeld Port vm0\.prod stays /),
      expect.stringMatching(/^TargetNotClaimed Port vm0\.prod\.net1 is bound /),
    ]);
  });

  test('goes to the target after the switch like any other', async () => {
    strategy('na');
    upgrade('b');
    const { pod } = model.migrate('b');
    await call('enable-dual-chassis');
    model.api.markReady(model.vm, pod);
    await call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
  });

  test('is one that the chassis of the target decides, not the others', async () => {
    strategy('garp,na');
    upgrade('b');
    model.migrate('b');
    expect((await call('enable-dual-chassis')).warnings).toEqual([]);
    expect(model.binding()).toBe('chassis-a,chassis-b by garp,na, record dual');
  });
});

describe('a hint', () => {
  const hint = () => ({
    ports: [model.vm.ports[0]!.uuid],
    bindings: [model.ovn.bindings.get('vm0.prod')!.uuid],
  });

  test('that the present target carries finds ports and bindings without a search', async () => {
    const { pod } = model.migrate('b');
    model.api.updatePod(model.vm, pod, { annotations: hintAnnotation(hint()) });
    await call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(searches()).toEqual(['_uuid']);
    const bindings = model.requests.filter(({ database }) => database === 'SB').flatMap(({ operations }) => operations);
    expect(bindings.filter((each) => each.op === 'select' && each.where[0]![0] === 'logical_port')).toEqual([]);
  });

  test('of a migration that is over is not believed: its ports may not be all', async () => {
    const { uid } = model.migrate('b');
    await call('enable-dual-chassis');
    model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
    model.restart();
    await call('disable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(searches()).toEqual(['_uuid', 'external_ids']);
  });

  test('of the ports with a record is not believed once a migration runs, which is for all ports', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate('b');
    await call('enable-dual-chassis', { vmi: REFERENCE, hint: undefined, recorded: [model.vm.ports[0]!.uuid] });
    for (const port of model.vm.ports) expect(model.binding(port)).toMatch(/record dual$/);
  });

  test('of a migration that has no target pod yet is not believed', async () => {
    model.api.createVmim(model.vm);
    await call('reuse-port', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(searches()).toEqual(['_uuid', 'external_ids']);
  });

  test.each<[string, () => object]>([
    ['that the present target does not carry', () => ({})],
    ['that it carries another of', () => hintAnnotation({ ...hint(), bindings: [] })],
  ])('%s is not believed: the ports are searched', async (_what, annotations) => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { pod } = model.migrate('b');
    model.api.updatePod(model.vm, pod, { annotations: annotations() });
    const { changes } = await call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(changes).toHaveLength(2);
    expect(searches()).toEqual(['_uuid', 'external_ids']);
  });
});
