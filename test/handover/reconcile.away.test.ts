/** Functions that were away while something happened, and migrations that end early. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { Model } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

const UNTOUCHED = { mcast_flood: 'true' };

describe('functions that were away', () => {
  test('from the admission of the target to the end leave the guest its port where it runs now', async () => {
    const migration = model.migrate('b');
    model.succeed(migration);
    model.api.endPod(model.vm, model.vm.pods[0]!, 'Succeeded');
    model.vm.taps.delete(model.vm.pods[0]!.metadata.uid);
    await model.call('reconcile');
    model.southbound.pass();
    expect(model.port.options).toEqual(UNTOUCHED);
    expect(model.southbound.isOpen(model.port, 'b')).toBe(true);
  });

  test('from the pin to the end bring the port to where the guest runs, and then take all off', async () => {
    const migration = model.migrate(undefined, true);
    await model.call('reuse-port');
    model.plug(migration.pod, 'b');
    model.succeed(migration);
    await model.call('reconcile');
    expect(model.binding()).toBe('chassis-b, record pinned');
    model.api.deletePod(model.vm, model.vm.pods[0]!);
    await model.call('reconcile');
    expect(model.port.options).toEqual(UNTOUCHED);
  });

  test('from the dual binding to the end of another migration that came after take all off', async () => {
    const first = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.succeed(first);
    model.api.deletePod(model.vm, model.vm.pods[0]!);
    const second = model.migrate('c');
    model.succeed(second);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-c, record pinned');
    model.api.deletePod(model.vm, first.pod);
    await model.call('release-port');
    expect(model.port.options).toEqual(UNTOUCHED);
  });

  test('while memory was copied make the target open at once, and never closed', async () => {
    const { pod, uid } = model.migrate();
    await model.call('reuse-port');
    model.plug(pod, 'b');
    model.setPhase(uid, 'Running');
    await model.call('enable-dual-chassis');
    expect(model.binding()).toBe('chassis-a,chassis-b, record dual');
    expect(model.southbound.isOpen(model.port, 'b')).toBe(true);
  });

  test('at the switch warn that the port was not dual in time', async () => {
    const { pod } = model.migrate();
    await model.call('reuse-port');
    model.plug(pod, 'b');
    model.api.markReady(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.binding()).toBe('chassis-b, record pinned');
    expect(model.warnings().map(({ reason }) => reason)).toEqual(['PortNotDualInTime']);
  });

  test('while a VM started anew elsewhere unbind its port', async () => {
    const migration = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.succeed(migration);
    await model.call('disable-dual-chassis');
    model.api.deleteVmi(model.vm);
    model.api.createVmi(model.vm, 'a', true);
    await model.call('reconcile');
    expect(model.port.options).toEqual(UNTOUCHED);
  });
});

describe('a migration that fails before KubeVirt has handed it over', () => {
  test.each<FunctionName>(['disable-dual-chassis', 'reconcile'])(
    'leaves a dual port at the source by %s, and then nothing of ours',
    async (name) => {
      const { uid, pod } = model.migrate('b');
      await model.call('enable-dual-chassis');
      model.api.endPod(model.vm, pod, 'Failed');
      expect((await model.call(name)).changes).toEqual([]);
      model.setPhase(uid, 'Failed');
      await model.call(name);
      expect(model.binding()).toBe('chassis-a, record pinned');
      model.api.deletePod(model.vm, pod);
      await model.call(name);
      expect(model.port.options).toEqual(UNTOUCHED);
    },
  );

  test('leaves a pinned port as it was', async () => {
    const { uid, pod } = model.migrate(undefined, true);
    await model.call('reuse-port');
    model.setPhase(uid, 'Failed');
    model.api.deletePod(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.port.options).toEqual(UNTOUCHED);
  });

  test('and whose VMIM is deleted at once leaves a port as it was', async () => {
    const { uid, pod } = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.deleteVmim(model.vm, uid);
    model.api.deletePod(model.vm, pod);
    await model.call('disable-dual-chassis');
    expect(model.port.options).toEqual(UNTOUCHED);
  });
});
