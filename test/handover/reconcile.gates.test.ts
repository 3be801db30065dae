/** Which gates a function takes off a target pod, and when. */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { uuidOf } from '../../explore/model/uuids.ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { hintAnnotation } from '../../handover/decision/hint.ts';
import { DUAL_GATE, gatesOf, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { isWrite, Model } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

const gates = (pod: Parameters<typeof model.vm.podNow>[0]) => gatesOf(model.vm.podNow(pod) as never);

describe('a target pod', () => {
  test('is let go by each function from its own gate: from the first once the port is pinned, with the way to the port and its binding', async () => {
    const { pod } = model.migrate(undefined, true);
    const { ungated } = await model.call('reuse-port');
    expect(ungated.map((release) => release.pod.metadata.uid)).toEqual([pod.metadata.uid]);
    expect(gates(pod)).toEqual([DUAL_GATE]);
    expect(model.vm.podNow(pod).metadata.annotations).toMatchObject(
      hintAnnotation({ ports: [model.port.uuid], bindings: [uuidOf('binding', 'vm0.prod')] }),
    );
    model.onSleep = () => model.plug(pod, 'b');
    expect((await model.call('enable-dual-chassis')).ungated).toHaveLength(1);
    expect(gates(pod)).toEqual([]);
  });

  test.each<FunctionName>(['enable-dual-chassis', 'disable-dual-chassis', 'release-port'])(
    'is not let go by %s before the port tells of its migration',
    async (name) => {
      const { pod } = model.migrate(undefined, true);
      expect((await model.call(name)).ungated).toEqual([]);
      expect(gates(pod)).toEqual([PORT_GATE, DUAL_GATE]);
    },
  );

  test('is not let go while one of its ports is not pinned', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { pod } = model.migrate(undefined, true);
    await model.call('reuse-port');
    model.vm.ports[1]!.write({ options: {} });
    expect((await model.call('enable-dual-chassis')).ungated).toEqual([]);
    expect(gates(pod)).toEqual([DUAL_GATE]);
  });

  test('is not let go when it took long to say that the port is pinned, and somebody has stripped it meanwhile', async () => {
    const { pod } = model.migrate(undefined, true);
    let isStripped = false;
    model.beforeExchange = ({ method }) => {
      if (method === 'POST' && !isStripped) {
        isStripped = true;
        jest.advanceTimersByTime(2_001);
        const { 'requested-chassis': _, ...options } = model.port.options;
        model.write({ options });
      }
      if (method === 'PATCH') expect(model.binding()).toBe('chassis-a, record pinned');
    };
    await model.call('reuse-port');
    expect(isStripped).toBe(true);
    expect(gates(pod)).toEqual([DUAL_GATE]);
  });

  test('that was changed in between is looked at again', async () => {
    const { pod } = model.migrate(undefined, true);
    let isChanged = false;
    model.beforeExchange = ({ method }) => {
      if (method !== 'PATCH' || isChanged) return;
      isChanged = true;
      model.api.annotatePod(model.vm, pod, { somebody: 'else' });
    };
    await model.call('reuse-port');
    expect(gates(pod)).toEqual([DUAL_GATE]);
    expect(model.vm.podNow(pod).metadata.annotations).toHaveProperty('somebody');
  });

  test('that is gone when it is to be let go needs nothing any more', async () => {
    const { pod } = model.migrate(undefined, true);
    model.beforeExchange = ({ method }) => {
      if (method === 'PATCH') model.api.deletePod(model.vm, pod);
    };
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('that is held for more than half a minute is a warning of whoever looks', async () => {
    model.migrate(undefined, true);
    await model.call('reuse-port');
    await model.world.sleep(32_000);
    await model.call('disable-dual-chassis');
    expect(model.warnings()).toMatchObject([
      { reason: 'TargetGated', message: expect.stringContaining(`was held by ${DUAL_GATE} for more than 30 s`) },
    ]);
  });
});

describe('a function that takes the last gate off stays with the target', () => {
  const names: FunctionName[] = ['enable-dual-chassis', 'reconcile'];

  test.each(names)('%s, until it has a node and its port is dual', async (name) => {
    const { pod } = model.migrate(undefined, true);
    await model.call('reuse-port');
    let naps = 0;
    model.onSleep = () => {
      if (++naps === 7) model.plug(pod, 'b');
    };
    const { changes, ungated } = await model.call(name);
    expect(ungated.map(({ gates }) => gates)).toEqual([[DUAL_GATE]]);
    expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['dual']);
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(naps).toBe(7);
  });

  test('reconcile alone does all of it, from a port that nobody has bound', async () => {
    const { pod } = model.migrate(undefined, true);
    model.onSleep = () => model.plug(pod, 'b');
    const { changes, ungated } = await model.call('reconcile');
    expect(ungated.map(({ gates }) => gates)).toEqual([[PORT_GATE, DUAL_GATE]]);
    expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['pinned', 'dual']);
  });

  test.each(names)('%s, but for no more than five seconds', async (name) => {
    model.migrate(undefined, true);
    await model.call('reuse-port');
    let slept = 0;
    model.onSleep = (ms) => {
      slept += ms;
    };
    await model.call(name);
    expect(slept).toBe(5_000);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test.each(names)('%s, and no longer than its migration runs', async (name) => {
    const { uid } = model.migrate(undefined, true);
    await model.call('reuse-port');
    let naps = 0;
    model.onSleep = () => {
      if (++naps === 3) model.setPhase(uid, 'Failed');
    };
    await model.call(name);
    expect(naps).toBe(3);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test('reuse-port takes off the first gate alone, and goes', async () => {
    model.migrate(undefined, true);
    let naps = 0;
    model.onSleep = () => void naps++;
    await model.call('reuse-port');
    expect(naps).toBe(0);
  });
});

describe('a gate does not outlive its reason', () => {
  const names: FunctionName[] = ['reuse-port', 'enable-dual-chassis', 'reconcile'];

  test.each(names)('%s takes both off where the VM has no port that could be handed over, and warns', async (name) => {
    model = new Model({ ports: [] });
    const { pod } = model.migrate(undefined, true);
    await model.call(name);
    expect(gates(pod)).toEqual([]);
    expect(model.reasons()).toEqual(['NoPort']);
  });

  test.each(names)('%s takes both off where the VMI is not opted in', async (name) => {
    model = new Model({ optedIn: false });
    const { pod } = model.migrate(undefined, true);
    await model.call(name);
    expect(gates(pod)).toEqual([]);
    expect(model.events).toMatchObject([
      { reason: 'NotHandedOver', message: expect.stringMatching(/without a hand-over: its VMI is not opted in\.$/) },
    ]);
    expect(model.writes()).toEqual([]);
  });

  test.each(names)('%s takes both off a target that comes from another cluster', async (name) => {
    model.api.deleteVmi(model.vm);
    model.api.createWaitingVmi(model.vm);
    const vmim = model.api.createVmim(model.vm, true, { receive: { migrationID: 'cclm-42' } });
    const pod = model.api.createTarget(model.vm, vmim, true);
    await model.call(name);
    expect(gates(pod)).toEqual([]);
    expect(model.events).toMatchObject([
      {
        reason: 'NotHandedOver',
        message: expect.stringContaining('is decentralized, and its other half is elsewhere'),
      },
    ]);
    expect(model.writes()).toEqual([]);
  });

  test.each(names)('%s takes both off a target of which the VMIM is gone', async (name) => {
    const { pod, uid } = model.migrate(undefined, true);
    model.api.deleteVmim(model.vm, uid);
    await model.call(name);
    expect(gates(pod)).toEqual([]);
    expect(model.events).toMatchObject([
      { reason: 'NotHandedOver', message: expect.stringContaining(`there is no VMIM ${uid} of its VMI`) },
    ]);
  });

  test.each(names)('%s takes both off a target of which the VMIM has ended', async (name) => {
    const { pod, uid } = model.migrate(undefined, true);
    model.setPhase(uid, 'Failed');
    await model.call(name);
    expect(gates(pod)).toEqual([]);
    expect(model.reasons()).toEqual(['NotHandedOver']);
  });

  test('a VMIM without KubeVirt’s label is found by the name in its spec, and handed over like any other', async () => {
    const vmim = model.api.createVmim(model.vm, false);
    const pod = model.api.createTarget(model.vm, vmim, true);
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(gates(pod)).toEqual([DUAL_GATE]);
    model.onSleep = () => model.plug(pod, 'b');
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    model.api.markReady(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
    expect(model.warnings()).toEqual([]);
  });

  test('a gate of somebody else stays', async () => {
    const { pod } = model.migrate(undefined, true);
    model.api.updatePod(model.vm, pod, {
      spec: { schedulingGates: [{ name: PORT_GATE }, { name: 'example.com/other' }, { name: DUAL_GATE }] },
    });
    await model.call('reconcile');
    expect(model.vm.podNow(pod).spec.schedulingGates).toEqual([{ name: 'example.com/other' }]);
  });
});

test("a target on the source's own node is let go, is told of once, and is never taken for switched", async () => {
  const { pod, uid } = model.migrate(undefined, true);
  await model.call('reuse-port');
  model.onSleep = () => model.plug(pod, 'a');
  for (const name of ['enable-dual-chassis', 'disable-dual-chassis', 'enable-dual-chassis', 'reconcile'] as const) {
    await model.call(name);
    expect(model.binding()).toBe('chassis-a, record pinned');
  }
  expect(model.warnings().map(({ by, reason }) => `${by} ${reason}`)).toEqual([
    'enable-dual-chassis TargetOnSourceNode',
    'disable-dual-chassis TargetOnSourceNode',
    'reconcile TargetOnSourceNode',
  ]);
  model.api.endPod(model.vm, pod, 'Failed');
  model.setPhase(uid, 'Failed');
  await model.call('disable-dual-chassis');
  expect(model.binding()).toBe('chassis-a, record pinned');
  expect(model.writes().filter(isWrite)).toHaveLength(2);
});
