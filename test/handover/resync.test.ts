import { beforeEach, expect, test } from '@jest/globals';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { gatesOf, type Pod } from '../../handover/decision/kubevirt.ts';
import { recordEntries } from '../../handover/decision/record.ts';
import { resync } from '../../handover/resync.ts';
import { Model, REFERENCE } from './support/model.ts';

let model: Model;
const sweep = () => resync(model.world, model.log);
beforeEach(() => {
  model = new Model();
});

const RECORD = { vmi: 'v', migration: 'earlier', binding: 'pinned', source: 'a', target: 'a' } as const;
const recorded = (vmi: string = RECORD.vmi) => recordEntries({ ...RECORD, vmi }, new Date());

test('a sweep over nothing has looked at nothing', async () => {
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
  expect(model.events).toEqual([]);
});

test('a migration of which no event came is found by its VMIM', async () => {
  model.migrate('b');
  const { looked, changed, failed } = await sweep();
  expect({ looked, failed }).toEqual({ looked: 1, failed: [] });
  expect(changed).toMatchObject([{ vmi: REFERENCE, ports: [{ name: 'vm0.prod', rule: '3b', binding: 'dual' }] }]);
  expect(model.reasons()).toEqual(['PortDual']);
});

test('a target that waits at both gates is let go, and followed until its port is dual', async () => {
  const { pod } = model.migrate(undefined, true);
  model.onSleep = () => model.plug(pod, 'b');
  const { changed } = await sweep();
  expect(changed).toMatchObject([
    { ungatedPods: [pod.metadata.name], ports: [{ binding: 'pinned' }, { binding: 'dual' }] },
  ]);
  expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
});

test('a target whose VMIM is gone is found by the gates that still hold it, and let go', async () => {
  const { pod, uid } = model.migrate(undefined, true);
  model.api.deleteVmim(model.vm, uid);
  expect(await sweep()).toMatchObject({ looked: 1, changed: [{ vmi: REFERENCE, ports: [] }], failed: [] });
  expect(gatesOf(model.vm.podNow(pod) as Pod)).toEqual([]);
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
});

test('a migration that is over is no reason to look', async () => {
  const { uid } = model.migrate('b');
  model.setPhase(uid, 'Failed');
  expect(await sweep()).toMatchObject({ looked: 0 });
});

test('a VM that is gone is found by the record on its port, which is then as it was', async () => {
  model.migrate('b');
  await sweep();
  model.api.deleteVmi(model.vm);
  expect(await sweep()).toMatchObject({ looked: 1, changed: [{ ports: [{ binding: 'unbound' }] }] });
  expect(model.port.options).toEqual({ mcast_flood: 'true' });
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
});

test('a custom resource that is not served for a moment releases no port', async () => {
  model.migrate('b');
  await sweep();
  const before = model.port.version;
  model.rest.unserved.add('kubevirt.io');
  await expect(sweep()).rejects.toThrow(TryAgainError);
  expect(model.port.version).toBe(before);
});

test('a custom resource that is no more served when a sweep looks at a VM releases nothing either', async () => {
  model.migrate('b');
  await sweep();
  const before = model.port.version;
  model.beforeExchange = ({ path }) => {
    if (path.includes('namespaces')) model.rest.unserved.add('kubevirt.io');
  };
  expect(await sweep()).toMatchObject({
    looked: 1,
    changed: [],
    failed: [{ why: expect.stringMatching(/HTTP 404$/) }],
  });
  expect(model.port.version).toBe(before);
});

test('VMs that do not migrate are found by one search for all, and not by another for each', async () => {
  model.migrate('b');
  await sweep();
  model.setPhase(model.vm.vmims[0]!.metadata.uid, 'Failed');
  await sweep();
  model.restart();
  expect(await sweep()).toStrictEqual({ looked: 1, changed: [], failed: [] });
  const northbound = model.requests.filter(({ database }) => database === 'NB').flatMap(({ operations }) => operations);
  expect(northbound.map((each) => each.op === 'select' && each.where[0]![0])).toEqual(['options', 'options', '_uuid']);
});

test('each VM is looked at, also those of one name in two namespaces', async () => {
  for (const pod of ['prod/other', 'test/other', 'prod/more']) {
    model.northbound.addPort(pod, { pod }).write({ options: recorded() });
  }
  const { looked, changed } = await sweep();
  expect(looked).toBe(3);
  expect(changed.map(({ vmi, ports }) => `${vmi.namespace}/${vmi.name} ${ports[0]?.binding}`).sort()).toEqual([
    'prod/more unbound',
    'prod/other unbound',
    'test/other unbound',
  ]);
});

test('a VM with a record that migrates is looked at once, all its ports searched', async () => {
  model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
  model.write({ options: recorded(model.vm.vmi!.metadata.uid) });
  model.migrate('b');
  const { looked, changed } = await sweep();
  expect(looked).toBe(1);
  expect(changed[0]!.ports.map(({ name, binding }) => `${name} ${binding}`)).toEqual([
    'vm0.prod dual',
    'vm0.prod.net1 dual',
  ]);
});

test('a VM that begins to migrate after the sweep has listed has all its ports handed over', async () => {
  model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
  model.write({ options: recorded(model.vm.vmi!.metadata.uid) });
  let isBegun = false;
  model.beforeExchange = ({ path }) => {
    if (!path.includes('namespaces') || isBegun) return;
    isBegun = true;
    model.migrate('b');
  };
  await sweep();
  for (const port of model.vm.ports) expect(model.binding(port)).toMatch(/record dual$/);
});

test('a VM that cannot be put right now is told with why, and does not hold up the others', async () => {
  model.northbound.addPort('other', { pod: 'prod/other' }).write({ options: recorded() });
  model.migrate('b');
  model.southbound.chassis = [];
  const { looked, changed, failed } = await sweep();
  expect({ looked, changed }).toMatchObject({ looked: 2, changed: [{ vmi: { name: 'other' } }] });
  expect(failed).toEqual([{ ...REFERENCE, why: expect.stringContaining('lists no chassis with hostname or name a') }]);
});

test('a sweep that cannot even list the VMs comes again', async () => {
  model.before = () => {
    throw new Error('rejected');
  };
  await expect(sweep()).rejects.toThrow(TryAgainError);
});

test('a port that no VM owns is left, whatever stands on it', async () => {
  model.northbound.addPort('router', {}).write({ options: recorded() });
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
});
