import { beforeEach, describe, expect, test } from '@jest/globals';
import { profileOf } from '../../handover/decision/profile.ts';
import { Model } from './support/model.ts';

const UNTOUCHED = { mcast_flood: 'true' };

let model: Model;

describe('a VM with several networks, by the profile for plain OVN', () => {
  const networks = (...names: string[]) => {
    model.vm.vmi = { ...model.vm.vmi!, spec: { networks: names.map((name) => ({ name })) } };
  };
  beforeEach(() => {
    model = new Model({
      ports: ['vm0.prod.default', 'vm0.prod.storage', 'vm0.prod.unused'],
      profile: profileOf('generic', '{vmi}.{namespace}.{network}'),
    });
    networks('default', 'storage');
  });

  test('is handed over with all of its ports in one transaction each time, and with no other port', async () => {
    const migration = model.migrate(undefined, true);
    await model.call('reuse-port');
    const identity = JSON.parse(model.vm.podNow(migration.pod).metadata.annotations['ovn-handover.dev/port']!);
    expect(identity).toEqual({
      default: { ifaceId: 'vm0.prod.default', mac: '0a:00:00:00:00:01', ips: ['10.0.0.10'] },
      storage: { ifaceId: 'vm0.prod.storage', mac: '0a:00:00:00:00:01', ips: ['10.0.0.10'] },
    });
    model.plug(migration.pod, 'b');
    await model.call('enable-dual-chassis');
    model.succeed(migration);
    await model.call('disable-dual-chassis');
    const [first, second, unused] = model.vm.ports;
    for (const port of [first, second]) expect(model.binding(port)).toBe('chassis-b, record pinned');
    expect(model.writes()).toHaveLength(3);
    model.api.deletePod(model.vm, model.vm.pods[0]!);
    await model.call('release-port');
    expect(model.writes()).toHaveLength(4);
    for (const port of [first, second]) expect(port!.options).toEqual(UNTOUCHED);
    expect(unused!.version).toBe(1);
  });

  test('has its ports released by their records once it is gone, and its networks are not known any more', async () => {
    model.migrate('b');
    await model.call('enable-dual-chassis');
    model.api.deleteVmi(model.vm);
    model.restart();
    expect((await model.call('release-port')).changes).toHaveLength(2);
    for (const port of model.vm.ports) expect(port.options).toEqual(UNTOUCHED);
  });

  test('gets an interface that was plugged in between two migrations handed over too', async () => {
    const migration = model.migrate('b');
    await model.call('reconcile');
    model.succeed(migration);
    model.api.deletePod(model.vm, model.vm.pods[0]!);
    await model.call('reconcile');
    networks('default', 'storage', 'unused');
    model.migrate('c');
    await model.call('reconcile');
    for (const port of model.vm.ports) expect(model.binding(port)).toBe('chassis-b,chassis-c by rarp, record dual');
  });
});
