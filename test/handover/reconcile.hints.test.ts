/** Where a VM's ports are looked for: by uuid where that finds them all, by a search of the whole table where it may not. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Port } from '../../explore/model/northbound.ts';
import { uuidOf } from '../../explore/model/uuids.ts';
import { hintAnnotation, portHintOf } from '../../handover/decision/hint.ts';
import type { Pod } from '../../handover/decision/kubevirt.ts';
import { Model, REFERENCE, rulesOf } from './support/model.ts';

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

  test('of an earlier target, which goes when the migration after it is over, does not hide what came in between', async () => {
    const first = model.migrate('b');
    await model.call('reconcile');
    const old = portHintOf(model.vm.podNow(first.pod) as Pod);
    expect(old?.ports).toHaveLength(1);
    model.succeed(first);
    model.api.deletePod(model.vm, model.vm.pods[0]!);
    await model.call('reconcile');
    const added = model.addPort('vm0.prod.net1');
    const second = model.migrate('c');
    await model.call('reconcile');
    model.succeed(second);
    model.api.deletePod(model.vm, first.pod);
    model.restart();
    const { changes } = await model.call('release-port', { vmi: REFERENCE, hint: old, isPodDeletion: true });
    expect(rulesOf({ changes })).toEqual(['4', '4', '2b', '2b']);
    for (const port of [model.port, added]) expect(port.options).toEqual({ mcast_flood: 'true' });
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

describe('a search', () => {
  /** The target, and what comes with it, appear between the look at the ports and the one at Kubernetes. */
  const meanwhile = (come: () => void) => {
    model.after = ({ database }) => {
      if (database !== 'NB') return;
      model.after = () => {};
      come();
    };
  };

  test('from before the target came is made again where the VMI has more networks: one may be plugged in with that', async () => {
    let added: Port | undefined;
    meanwhile(() => {
      added = model.addPort('vm0.prod.net1');
      model.migrate(undefined, true);
    });
    const { ungated } = await model.call('reuse-port');
    for (const port of [model.port, added!]) expect(model.binding(port)).toBe('chassis-a, record pinned');
    expect(ungated.map(({ gates }) => gates)).toEqual([['ovn-handover.dev/port']]);
    expect(model.scans()).toEqual(['external_ids', 'external_ids']);
  });

  test('that found a port for each network of the VMI is not made again', async () => {
    meanwhile(() => void model.migrate());
    await model.call('reuse-port');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('is made twice at most where others than OVN carry a network of the VMI', async () => {
    model.vm.vmi = { ...model.vm.vmi!, spec: { networks: [{ name: 'default' }, { name: 'sriov' }] } };
    model.migrate();
    await model.call('reuse-port');
    expect(model.binding()).toBe('chassis-a, record pinned');
    expect(model.scans()).toEqual(['external_ids', 'external_ids']);
  });

  test('that found all ports of which the target carries the hint is not made again', async () => {
    model.vm.vmi = { ...model.vm.vmi!, spec: { networks: [{ name: 'default' }, { name: 'sriov' }] } };
    const { pod } = model.migrate();
    await model.call('reuse-port');
    model.plug(pod, 'b');
    model.restart();
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(portHintOf(model.vm.podNow(pod) as Pod)?.ports).toHaveLength(1);
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('is made again where the VMI does not say how many networks it has', async () => {
    model.vm.vmi = { ...model.vm.vmi!, spec: {} };
    model.migrate();
    await model.call('reuse-port');
    expect(model.scans()).toEqual(['external_ids', 'external_ids']);
  });
});

describe('what a warm function knows', () => {
  test('of before the target pod came is not believed after it: an interface may have been plugged in with that', async () => {
    const vmim = model.api.createVmim(model.vm, true);
    await model.call('enable-dual-chassis');
    const added = model.addPort('vm0.prod.net1');
    model.plug(model.api.createTarget(model.vm, vmim, false), 'b');
    await model.call('enable-dual-chassis');
    for (const port of [model.port, added])
      expect(model.binding(port)).toBe('chassis-a,chassis-b by rarp, record dual');
  });

  test('is not believed where the target carries the hint of more ports: those are looked at, without a search', async () => {
    const { pod } = model.migrate();
    await model.call('enable-dual-chassis');
    const added = model.addPort('vm0.prod.net1');
    await model.call('reuse-port', { vmi: REFERENCE }, model.coldWorld());
    expect(portHintOf(model.vm.podNow(pod) as Pod)?.ports).toHaveLength(2);
    model.plug(pod, 'b');
    model.requests.length = 0;
    await model.call('enable-dual-chassis');
    for (const port of [model.port, added])
      expect(model.binding(port)).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(model.scans()).toEqual([]);
  });

  test('of before the target pod came is not believed after the migration either', async () => {
    const vmim = model.api.createVmim(model.vm, true);
    await model.call('reconcile');
    const added = model.addPort('vm0.prod.net1');
    await model.call('reuse-port', { vmi: REFERENCE }, model.coldWorld());
    expect(model.binding(added)).toBe('chassis-a, record pinned');
    model.setPhase(vmim.metadata.uid, 'Failed');
    await model.call('reconcile');
    for (const port of [model.port, added]) expect(model.binding(port)).toBe('nothing, record none');
  });

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

  test('from before a migration, which others handed over, does not hide what is to be released after it', async () => {
    await model.call('release-port');
    const added = model.addPort('vm0.prod.net1');
    model.migrate('b');
    await model.call('enable-dual-chassis', { vmi: REFERENCE }, model.coldWorld());
    model.api.deleteVmi(model.vm);
    await model.call('release-port');
    for (const port of [model.port, added]) expect(port.options).toEqual({ mcast_flood: 'true' });
  });

  test('is less than what a sweep has found: that is looked at', async () => {
    model.migrate('b');
    await model.call('reconcile');
    const added = model.addPort('vm0.prod.net1');
    added.write({ options: model.port.options });
    model.api.deleteVmi(model.vm);
    const uuids = model.vm.ports.map(({ uuid }) => uuid);
    expect((await model.call('reconcile', { vmi: REFERENCE, recorded: uuids })).changes).toHaveLength(2);
  });

  test('of ports that still carry the record of a migration that is over serves one look after another', async () => {
    const migration = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.succeed(migration);
    model.restart();
    for (let looks = 0; looks < 3; looks++) await model.call('release-port');
    expect(model.binding()).toBe('chassis-b, record pinned');
    expect(model.scans()).toEqual(['external_ids']);
  });

  test('while nothing migrates serves one look after another', async () => {
    for (let looks = 0; looks < 3; looks++) await model.call('release-port');
    expect(model.scans()).toEqual(['external_ids']);
  });
});
