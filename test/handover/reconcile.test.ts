import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { hintAnnotation } from '../../handover/decision/hint.ts';
import { Model, REFERENCE } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

describe('each function makes its own step', () => {
  test.each<[FunctionName, string | undefined, string, string]>([
    ['reuse-port', undefined, 'chassis-a, record pinned', '3d'],
    ['enable-dual-chassis', 'b', 'chassis-a,chassis-b by rarp, record dual', '3b'],
    ['reconcile', undefined, 'chassis-a, record pinned', '3d'],
    ['reconcile', 'b', 'chassis-a,chassis-b by rarp, record dual', '3b'],
  ])('%s, target on %s: %s', async (name, node, binding, rule) => {
    model.migrate(node);
    const { changes } = await model.call(name);
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
    await model.call(name).catch(() => {});
    expect(model.binding()).toBe('nothing, record none');
    expect(model.writes()).toEqual([]);
  });

  test('the whole way: pinned, dual, pinned to the target, and released when the VM is gone', async () => {
    const { pod } = model.migrate();
    await model.call('reuse-port');
    model.api.updatePod(model.vm, pod, {}, { nodeName: 'b' });
    await model.call('enable-dual-chassis');
    model.api.markReady(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
    model.api.deleteVmi(model.vm);
    await model.call('release-port');
    expect(model.binding()).toBe('nothing, record none');
  });

  test('all interfaces in one transaction, which says who, for whom and by which rules', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { vmim } = model.migrate();
    await model.call('reuse-port');
    expect(model.writes()).toHaveLength(1);
    expect(model.writes()[0]!.operations.at(-1)).toEqual({
      op: 'comment',
      comment: `ovn-handover reuse-port: VMI prod/vm0 ${model.vm.vmi!.metadata.uid}, VMIM ${vmim.metadata.name} ${vmim.metadata.uid}, rule 3d`,
    });
    for (const port of model.vm.ports) expect(model.binding(port)).toBe('chassis-a, record pinned');
  });

  test('a release says so too, of a VMI that is gone and no migration', async () => {
    model.migrate();
    await model.call('reuse-port');
    model.api.deleteVmi(model.vm);
    await model.call('release-port');
    expect(model.writes().at(-1)!.operations.at(-1)).toMatchObject({
      comment: 'ovn-handover release-port: VMI prod/vm0 gone, no VMIM, rule 2',
    });
  });

  test('what reconcile writes names each rule once', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1', 'vm0.prod.net2'] });
    const { uid } = model.migrate();
    await model.call('reuse-port');
    model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
    // An interface that came since has no record.
    model.vm.ports[2]!.externalIds = { pod: 'prod/vm0' };
    await model.call('reconcile');
    expect(model.writes().at(-1)!.operations.at(-1)).toMatchObject({
      comment: expect.stringMatching(/^ovn-handover reconcile: .*, rule 4,5$/),
    });
  });

  test('twice is nothing to do', async () => {
    model.migrate();
    await model.call('reuse-port');
    const { changes, warnings } = await model.call('reuse-port');
    expect({ changes, warnings }).toEqual({ changes: [], warnings: [] });
    expect(model.writes()).toHaveLength(1);
  });
});

describe('a target pod', () => {
  test('is let go by reuse-port once the port is pinned, with the way to the port and its binding', async () => {
    const { pod } = model.migrate(undefined, true);
    const { admitted } = await model.call('reuse-port');
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
      const { admitted } = await model.call(name);
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
      if (database !== 'SB' || changed || model.writes().length === 0) return;
      changed = true;
      model.api.updatePod(model.vm, pod, { annotations: { somebody: 'else' } });
    };
    await model.call('reuse-port');
    const present = model.vm.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)!;
    expect(present.spec.schedulingGates).toEqual([]);
    expect(present.metadata.annotations).toHaveProperty('somebody');
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
    await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(model.scans()).toEqual([]);
    const bindings = model.requests.filter(({ database }) => database === 'SB').flatMap(({ operations }) => operations);
    expect(bindings.filter((each) => each.op === 'select' && each.where[0]![0] === 'logical_port')).toEqual([]);
  });

  test('of a migration that is over is not believed: its ports may not be all', async () => {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
    model.restart();
    await model.call('disable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('of the ports with a record is not believed once a migration runs, which is for all ports', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate('b');
    await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: undefined, recorded: [model.vm.ports[0]!.uuid] });
    for (const port of model.vm.ports) expect(model.binding(port)).toMatch(/record dual$/);
  });

  test('of a migration that has no target pod yet is not believed', async () => {
    model.api.createVmim(model.vm);
    await model.call('reuse-port', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test.each<[string, () => object]>([
    ['that the present target does not carry', () => ({})],
    ['that it carries another of', () => hintAnnotation({ ...hint(), bindings: [] })],
  ])('%s is not believed: the ports are searched', async (_what, annotations) => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { pod } = model.migrate('b');
    model.api.updatePod(model.vm, pod, { annotations: annotations() });
    const { changes } = await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(changes).toHaveLength(2);
    expect(model.scans()).toEqual(['external_ids']);
  });
});
