import { beforeEach, expect, test } from '@jest/globals';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { recordEntries } from '../../handover/decision/record.ts';
import type { Outcome } from '../../handover/reconcile.ts';
import { reconcile } from '../../handover/resync.ts';
import { Model, REFERENCE } from './support/model.ts';

let model: Model;
let outcomes: Outcome[];
const sweep = () => reconcile(model.world, async (outcome) => void outcomes.push(outcome));
beforeEach(() => {
  model = new Model();
  outcomes = [];
});

test('a sweep over nothing has looked at nothing', async () => {
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
  expect(outcomes).toEqual([]);
});

test('a migration of which no event came is found by its VMIM', async () => {
  model.migrate('b');
  const { looked, changed, failed } = await sweep();
  expect({ looked, failed }).toEqual({ looked: 1, failed: [] });
  expect(changed).toMatchObject([{ vmi: REFERENCE, ports: [{ name: 'vm0.prod', rule: '3b', binding: 'dual' }] }]);
  expect(outcomes).toHaveLength(1);
});

test('a migration that is over is no reason to look', async () => {
  const { uid } = model.migrate('b');
  model.api.updateVmim(model.vm, uid, { phase: 'Failed' });
  expect(await sweep()).toMatchObject({ looked: 0 });
});

test('a VM that is gone is found by the record on its port; once it is right, it is looked at and left', async () => {
  model.migrate('b');
  await sweep();
  model.api.deleteVmi(model.vm);
  expect(await sweep()).toMatchObject({ looked: 1, changed: [{ ports: [{ binding: 'unbound' }] }] });
  expect(model.binding()).toBe('nothing, record none');
  expect(await sweep()).toStrictEqual({ looked: 0, changed: [], failed: [] });
});

const RECORD = { vmi: 'v', migration: 'earlier', binding: 'pinned', source: 'a', target: 'a' } as const;

test('VMs that do not migrate are found by one search for all, and not by another for each', async () => {
  model.migrate('b');
  await sweep();
  model.api.updateVmim(model.vm, model.vm.vmims[0]!.metadata.uid, { phase: 'Failed' });
  await sweep();
  model.restart();
  expect(await sweep()).toStrictEqual({ looked: 1, changed: [], failed: [] });
  const northbound = model.requests.filter(({ database }) => database === 'NB').flatMap(({ operations }) => operations);
  expect(northbound.map((each) => each.op === 'select' && each.where[0]![0])).toEqual([
    'external_ids',
    'external_ids',
    '_uuid',
  ]);
});

test('each VM is looked at, also those of one name in two namespaces', async () => {
  for (const pod of ['prod/other', 'test/other', 'prod/more']) {
    model.ovn.addPort(pod, { pod, ...recordEntries(RECORD, new Date()) });
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
  const { vmi } = model.vm;
  const [first] = model.vm.ports;
  first!.externalIds = { ...first!.externalIds, ...recordEntries({ ...RECORD, vmi: vmi!.metadata.uid }, new Date()) };
  model.migrate('b');
  const { looked, changed } = await sweep();
  expect(looked).toBe(1);
  expect(changed[0]!.ports.map(({ name, binding }) => `${name} ${binding}`)).toEqual([
    'vm0.prod dual',
    'vm0.prod.net1 dual',
  ]);
});

test('a VM that cannot be put right now is told with why, and what was told of it too', async () => {
  model.migrate('b');
  model.ovn.chassis = [];
  const { looked, changed, failed } = await sweep();
  expect({ looked, changed }).toEqual({ looked: 1, changed: [] });
  expect(failed).toEqual([{ ...REFERENCE, why: expect.stringContaining('lists no chassis with hostname or name a') }]);
  expect(outcomes).toEqual([]);
});

test('a sweep that cannot even list the VMs comes again', async () => {
  model.before = () => {
    throw new Error('refused');
  };
  await expect(sweep()).rejects.toThrow(TryAgainError);
});
