/**
 * What Kube-OVN's controller writes to a port while its VM migrates, at every moment of that: none of it undoes a binding that
 * is right, and each costs at most one write of ours.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Port, PortColumns } from '../../explore/model/northbound.ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { isWrite, Model, REFERENCE } from './support/model.ts';

const FUNCTIONS: FunctionName[] = [
  'reuse-port',
  'enable-dual-chassis',
  'disable-dual-chassis',
  'release-port',
  'reconcile',
];

/** By what it last saw of the row, which may be older than what is there. */
type Write = (port: Port, seen: PortColumns) => Partial<PortColumns>;

const WRITES: Record<string, Write> = {
  'the whole of external_ids, for an update of a target pod': () => ({
    externalIds: { pod: 'prod/vm0', vendor: 'kube-ovn', ls: 'ovn-default' },
  }),
  'options without the binding, for a launcher pod that was deleted': (_port, { options }) => {
    const { 'requested-chassis': _chassis, 'activation-strategy': _strategy, ...rest } = options;
    return { options: rest };
  },
  'external_ids as it has seen them, for a security group': (_port, { externalIds }) => ({
    externalIds: { ...externalIds, security_groups: 'a' },
  }),
  'options as it has seen them, for arp_proxy': (_port, { options }) => ({
    options: { ...options, arp_proxy: 'true' },
  }),
};

let model: Model;
let migration: ReturnType<Model['migrate']>;
beforeEach(() => {
  model = new Model();
});

/** What happens one after the other; the functions look after each. */
const MOMENTS: readonly (readonly [string, () => void])[] = [
  ['the target pod is created', () => (migration = model.migrate(undefined, true))],
  ['it has a node and is plugged', () => model.plug(migration.pod, 'b')],
  ['memory is copied', () => model.setPhase(migration.uid, 'Running')],
  ['the guest has announced itself on the target', () => model.southbound.rarp(model.port, 'b')],
  ['KubeVirt tells that it runs there', () => model.api.markReady(model.vm, migration.pod)],
  ['the migration is over', () => model.succeed(migration)],
  ['the pod that the guest has left is gone', () => model.api.deletePod(model.vm, model.vm.pods[0]!)],
];

/** Every function looks, as it would be woken, until nobody changes anything. @returns how many commits that took */
async function look(): Promise<number> {
  const before = committed;
  for (const name of FUNCTIONS) await model.call(name, { vmi: REFERENCE }).catch(() => {});
  return committed - before;
}

let committed: number;
beforeEach(() => {
  committed = 0;
  model.after = (request) => {
    if (isWrite(request)) committed++;
  };
});

/** Goes as far as a moment; once the functions have looked, the port is as it should be. */
async function goTo(last: number): Promise<PortColumns[]> {
  const seen = [columnsOf(model.port)];
  for (const [, happens] of MOMENTS.slice(0, last + 1)) {
    happens();
    await model.world.sleep(1_000);
    await look();
    seen.push(columnsOf(model.port));
  }
  return seen;
}

function columnsOf({ options, externalIds }: Port): PortColumns {
  return { options, externalIds };
}

/** What counts of a binding: that an open target stays open is as good as that it was opened by its guest. */
function isOpen(): { requested: string | undefined; isOpen: boolean } {
  model.southbound.pass();
  return { requested: model.port.options['requested-chassis'], isOpen: model.southbound.isOpen(model.port, 'b') };
}

const CASES = MOMENTS.flatMap(([moment], index) =>
  Object.keys(WRITES).flatMap((write) =>
    ['all of it', 'none of our last write'].map((cache) => [moment, write, cache, index] as const),
  ),
);

describe('Kube-OVN', () => {
  test.each(CASES)('when %s, writes %s, having seen %s', async (moment, write, cache, index) => {
    const seen = await goTo(index);
    const before = isOpen();
    model.write(WRITES[write]!(model.port, seen.at(cache === 'all of it' ? -1 : -2)!));
    expect(await look()).toBeLessThanOrEqual(1);
    const after = isOpen();
    expect(after.requested).toBe(before.requested);
    // While memory is copied a target may as well be open; before that it never is, and once open it stays so.
    if (moment !== 'memory is copied') expect(after.isOpen).toBe(before.isOpen);
    expect(await look()).toBe(0);
    expect(model.warnings().map(({ reason }) => reason)).not.toContain('PortNotDualInTime');
  });

  test.each(Object.keys(WRITES))('may write %s between any read and commit of ours', async (write) => {
    for (const index of MOMENTS.keys()) {
      model = new Model();
      const bindings: string[] = [];
      let isWritten = false;
      let own = 0;
      model.after = (request) => {
        if (isWrite(request)) own++;
        bindings.push(model.binding());
      };
      await goTo(index - 1);
      const [, happens] = MOMENTS[index]!;
      happens();
      own = 0;
      model.before = (request) => {
        if (!isWrite(request) || isWritten) return;
        isWritten = true;
        model.write(WRITES[write]!(model.port, columnsOf(model.port)));
      };
      await look();
      expect(own).toBeLessThanOrEqual(2);
      await look();
      model.before = () => {};
      expect(isOpen().requested).toBe(
        [
          'chassis-a',
          'chassis-a,chassis-b',
          'chassis-a,chassis-b',
          'chassis-a,chassis-b',
          'chassis-b',
          'chassis-b',
          undefined,
        ][index],
      );
    }
  });
});

describe('a binding that is stripped off', () => {
  const strip = WRITES['options without the binding, for a launcher pod that was deleted']!;
  const stripped = () => model.write(strip(model.port, columnsOf(model.port)));

  test('before memory is copied is armed again', async () => {
    await goTo(1);
    stripped();
    await model.call('reconcile', { vmi: REFERENCE, isPodDeletion: true });
    expect(model.binding()).toBe('chassis-a,chassis-b by rarp, record dual');
    expect(model.warnings().map(({ reason }) => reason)).toEqual(['PortOverwritten']);
  });

  test('while memory is copied is put back open: the announcement may be over', async () => {
    await goTo(2);
    stripped();
    await model.call('reconcile', { vmi: REFERENCE, isPodDeletion: true });
    expect(model.binding()).toBe('chassis-a,chassis-b, record dual');
  });

  test('a moment after the deletion of a pod was heard is found by the same call', async () => {
    await goTo(2);
    const naps: number[] = [];
    model.onSleep = (ms) => {
      naps.push(ms);
      if (naps.length === 1) stripped();
    };
    await model.call('reconcile', { vmi: REFERENCE, isPodDeletion: true });
    expect(naps).toEqual([500, 1_500]);
    expect(model.binding()).toBe('chassis-a,chassis-b, record dual');
  });

  test('is not waited for where no migration runs', async () => {
    let naps = 0;
    model.onSleep = () => void naps++;
    await model.call('reconcile', { vmi: REFERENCE, isPodDeletion: true });
    expect(naps).toBe(0);
  });
});

describe('a record that is wiped off', () => {
  const wipe = () => {
    const { 'requested-chassis': requested, 'activation-strategy': strategy } = model.port.options;
    model.write({
      options: {
        ...(requested && { 'requested-chassis': requested }),
        ...(strategy && { 'activation-strategy': strategy }),
      },
    });
  };

  test('is given back in one write, and the binding stays as it is', async () => {
    await goTo(1);
    wipe();
    const bindings: string[] = [];
    model.after = (request) => {
      if (isWrite(request)) bindings.push(model.binding());
    };
    await look();
    expect(bindings).toEqual(['chassis-a,chassis-b by rarp, record dual']);
  });

  test('after the announcement is not given back before the end is known: northd could drop the activation', async () => {
    await goTo(3);
    wipe();
    expect(await look()).toBe(0);
    expect(isOpen()).toEqual({ requested: 'chassis-a,chassis-b', isOpen: true });
    model.api.markReady(model.vm, migration.pod);
    expect(await look()).toBe(1);
    expect(model.binding()).toBe('chassis-b, record pinned');
  });
});
