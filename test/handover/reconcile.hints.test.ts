/** Where a VM's ports are looked for: by uuid where that finds them all, by a search of the whole table where it may not. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { uuidOf } from '../../explore/model/uuids.ts';
import { hintAnnotation } from '../../handover/decision/hint.ts';
import { Model, REFERENCE } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

describe('a hint', () => {
  const hint = () => ({ ports: [model.port.uuid], bindings: [uuidOf('binding', 'vm0.prod')] });

  test('that the present target carries finds ports and bindings without a search', async () => {
    const { pod } = model.migrate('b');
    model.api.annotatePod(model.vm, pod, hintAnnotation(hint()));
    await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(model.scans()).toEqual([]);
    const bindings = model.requests.filter(({ database }) => database === 'SB').flatMap(({ operations }) => operations);
    expect(bindings.filter((each) => each.op === 'select' && each.where[0]![0] === 'logical_port')).toEqual([]);
  });

  test('of a migration that is over is believed while none runs: its ports alone have a record', async () => {
    const { uid } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(uid, 'Failed');
    model.restart();
    await model.call('disable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.scans()).toEqual([]);
  });

  test('of the ports with a record is not believed once a migration runs, which is for all ports', async () => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    model.migrate('b');
    await model.call('enable-dual-chassis', { vmi: REFERENCE, recorded: [model.port.uuid] });
    for (const port of model.vm.ports) expect(model.binding(port)).toMatch(/record dual$/);
  });

  test('of a migration that has no target pod yet is not believed', async () => {
    model.api.createVmim(model.vm, true);
    await model.call('reuse-port', { vmi: REFERENCE, hint: hint() });
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test.each<[string, () => Record<string, string>]>([
    ['that the present target does not carry', () => ({})],
    ['that it carries another of', () => hintAnnotation({ ...hint(), bindings: [] })],
  ])('%s is not believed: the ports are searched', async (_what, annotations) => {
    model = new Model({ ports: ['vm0.prod', 'vm0.prod.net1'] });
    const { pod } = model.migrate('b');
    model.api.annotatePod(model.vm, pod, annotations());
    const { changes } = await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: hint() });
    expect(changes).toHaveLength(2);
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('that names another VM’s port is not believed', async () => {
    const { pod } = model.migrate('b');
    const other = model.northbound.addPort('other.prod', { pod: 'prod/other' });
    const forged = { ports: [other.uuid], bindings: [] };
    model.api.annotatePod(model.vm, pod, hintAnnotation(forged));
    await model.call('enable-dual-chassis', { vmi: REFERENCE, hint: forged });
    expect(other.options).toEqual({ mcast_flood: 'true' });
    expect(model.binding()).toMatch(/record dual$/);
  });
});

describe('what a warm function knows', () => {
  test('serves all looks of one migration: there is one search', async () => {
    const { pod } = model.migrate();
    await model.call('reconcile');
    model.plug(pod, 'b');
    await model.call('reconcile');
    model.api.markReady(model.vm, pod);
    await model.call('reconcile');
    expect(model.binding()).toBe('chassis-b, record pinned');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('from an earlier migration does not hide an interface that was plugged in since', async () => {
    const first = model.migrate('b');
    await model.call('reconcile');
    model.succeed(first);
    model.api.endPod(model.vm, model.vm.pods[0]!, 'Succeeded');
    await model.call('reconcile');
    const added = model.addPort('vm0.prod.net1');
    model.migrate('c');
    await model.call('reconcile');
    for (const port of [model.port, added]) {
      expect(model.binding(port)).toBe('chassis-b,chassis-c by rarp, record dual');
    }
  });

  test('from before a migration, of which an event came while nothing ran, does not hide it either', async () => {
    await model.call('reconcile');
    const added = model.addPort('vm0.prod.net1');
    model.migrate();
    await model.call('reuse-port');
    for (const port of [model.port, added]) expect(model.binding(port)).toBe('chassis-a, record pinned');
  });

  test('is verified: a port that was made anew is searched again', async () => {
    const { pod } = model.migrate();
    await model.call('reconcile');
    model.northbound.ports.length = 0;
    model.vm.ports.length = 0;
    const anew = model.addPort('vm0.prod.anew');
    model.plug(pod, 'b');
    await model.call('reconcile');
    expect(model.binding(anew)).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(model.scans()).toEqual(['external_ids', 'external_ids']);
  });

  test('while nothing migrates is good for a minute', async () => {
    await model.call('release-port');
    await model.world.sleep(59_000);
    await model.call('release-port');
    await model.world.sleep(2_000);
    await model.call('release-port');
    expect(model.scans()).toEqual(['external_ids', 'external_ids']);
  });
});
