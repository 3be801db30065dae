import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { Model, rulesOf } from './support/model.ts';

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
    expect(rulesOf(await model.call(name))).toEqual([rule]);
    expect(model.binding()).toBe(binding);
  });

  test.each<[FunctionName, string | undefined]>([
    ['enable-dual-chassis', undefined],
    ['disable-dual-chassis', undefined],
    ['release-port', undefined],
    ['reuse-port', 'b'],
    ['disable-dual-chassis', 'b'],
    ['release-port', 'b'],
  ])("%s, target on %s, leaves another's step to it, and says in the log whose it is", async (name, node) => {
    model.migrate(node);
    // reuse-port waits for the dual binding of a target that has its node already.
    if (name === 'reuse-port') await expect(model.call(name)).rejects.toThrow(TryAgainError);
    else expect(rulesOf(await model.call(name))).toEqual([]);
    expect(model.binding()).toBe('nothing, record none');
    expect(model.writes()).toEqual([]);
    expect(model.lines.filter((line) => line.startsWith('debug')).at(-1)).toBe(
      node === undefined
        ? "debug port vm0.prod: rule 3d, no target is usable: pinned is reuse-port's step, or done"
        : "debug port vm0.prod: rule 3b, the target has a node: dual is enable-dual-chassis's step, or done",
    );
  });

  test('a migration leaves a port as it found it: pinned, dual, pinned to the target, and unbound', async () => {
    const before = { ...model.port.options };
    const migration = model.migrate();
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
    model.plug(migration.pod, 'b');
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    const source = model.vm.pods[0]!;
    model.succeed(migration);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
    model.api.deletePod(model.vm, source);
    await model.call('release-port');
    expect(model.port.options).toEqual(before);
    expect(model.writes()).toHaveLength(4);
    expect(model.reasons()).toEqual(['PortPinned', 'PortDual', 'PortPinned', 'PortReleased']);
  });

  test('a port is released when its VM is gone', async () => {
    const migration = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.succeed(migration);
    await model.call('disable-dual-chassis');
    model.api.deleteVmi(model.vm);
    expect(rulesOf(await model.call('release-port'))).toEqual(['2']);
    expect(model.port.options).toEqual({ mcast_flood: 'true' });
  });

  test('all interfaces are bound in one transaction, which says who, for whom and by which rules', async () => {
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

  test('a transaction of several rules names each once', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1', 'vm0.prod.net2'] });
    const { uid } = model.migrate();
    await model.call('reuse-port');
    model.setPhase(uid, 'Failed');
    // An interface that came since has no record.
    model.vm.ports[2]!.write({ options: {} });
    await model.call('reconcile');
    expect(model.writes().at(-1)!.operations.at(-1)).toMatchObject({
      comment: expect.stringMatching(/^ovn-handover reconcile: .*, rule 4,5$/),
    });
  });

  test('a second event of the same has nothing left to do', async () => {
    model.migrate();
    await model.call('reuse-port');
    const { changes, ungated } = await model.call('reuse-port');
    expect({ changes, ungated }).toEqual({ changes: [], ungated: [] });
    expect(model.writes()).toHaveLength(1);
  });

  test('a VM that is not opted in is left alone from the beginning to the end', async () => {
    model = new Model({ optedIn: false });
    const migration = model.migrate('b');
    for (const name of ['reuse-port', 'enable-dual-chassis', 'reconcile'] as const) await model.call(name);
    model.succeed(migration);
    for (const name of ['disable-dual-chassis', 'release-port', 'reconcile'] as const) await model.call(name);
    expect(model.writes()).toEqual([]);
    expect(model.events).toEqual([]);
    expect(model.lines.at(-1)).toBe(
      'debug port vm0.prod: rule 1, the VMI is not opted in, and none of its ports has a record of ours: nothing is to be done',
    );
  });
});

test('of a VM that opted out all ports are handed over where one has a record, which a neighbour may have put back', async () => {
  model = new Model({ optedIn: false, ports: ['vm0.prod', 'vm0.prod.net1'] });
  const [, second] = model.vm.ports;
  const before = {
    'handover-vmi': model.vm.vmi!.metadata.uid,
    'handover-migration': 'earlier',
    'handover-binding': 'pinned',
    'handover-source': 'a',
  };
  model.write({ options: before }, second);
  model.migrate('b');
  await model.call('enable-dual-chassis');
  for (const port of model.vm.ports) expect(model.binding(port)).toBe('chassis-a,chassis-b by rarp, record dual');
});

describe('what is left to make when no migration runs', () => {
  const names: FunctionName[] = [
    'reuse-port',
    'enable-dual-chassis',
    'disable-dual-chassis',
    'release-port',
    'reconcile',
  ];

  test.each(names)('%s brings a port back to where the guest runs after a failure', async (name) => {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(uid, 'Failed');
    expect(rulesOf(await model.call(name))).toEqual(['4']);
    expect(model.binding()).toBe('chassis-a, record pinned');
  });

  test.each(names)('%s unbinds a port once no other launcher pod may be plugged', async (name) => {
    const { uid, pod } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(uid, 'Failed');
    model.api.deletePod(model.vm, pod);
    expect(rulesOf(await model.call(name))).toEqual(['2b']);
    expect(model.port.options).toEqual({ mcast_flood: 'true' });
  });

  test.each(names)('%s releases the port of a VM that is gone', async (name) => {
    model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.deleteVmi(model.vm);
    expect(rulesOf(await model.call(name))).toEqual(['2']);
    expect(model.port.options).toEqual({ mcast_flood: 'true' });
  });

  test('a port stays pinned until the pod that the guest has left ended a minute ago', async () => {
    const migration = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.succeed(migration);
    const [source] = model.vm.pods;
    const rules: string[][] = [];
    rules.push(rulesOf(await model.call('disable-dual-chassis')));
    model.api.endPod(model.vm, source!, 'Succeeded');
    rules.push(rulesOf(await model.call('reconcile')));
    await model.world.sleep(59_000);
    rules.push(rulesOf(await model.call('reconcile')));
    expect(model.binding()).toBe('chassis-b, record pinned');
    await model.world.sleep(2_000);
    rules.push(rulesOf(await model.call('reconcile')));
    expect(rules).toEqual([['4'], [], [], ['2b']]);
    expect(model.port.options).toEqual({ mcast_flood: 'true' });
  });
});
