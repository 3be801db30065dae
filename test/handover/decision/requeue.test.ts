import { describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../../handover/decision/desired.ts';
import type { Objects } from '../../../handover/decision/facts.ts';
import type { SchedulingGateRelease } from '../../../handover/decision/gates.ts';
import { DUAL_GATE, PORT_GATE, type SchedulingGate } from '../../../handover/decision/kubevirt.ts';
import { changeFor, type Port, type PortChange } from '../../../handover/decision/port.ts';
import { type CallSoFar, requeueAfter } from '../../../handover/decision/requeue.ts';
import { factsAt, moment, pod, vmi, vmim } from '../../../testkit/moments.ts';
import { observe } from '../support/observed.ts';
import { ARMED, CHASSIS, DUAL, PINNED, port, SECOND, TO_SOURCE } from '../support/ports.ts';

const functions = [
  'reuse-port',
  'enable-dual-chassis',
  'disable-dual-chassis',
  'release-port',
  'reconcile',
] as const satisfies FunctionName[];
const pinned = port({ options: TO_SOURCE, record: PINNED });
const second = port({ ...SECOND, options: TO_SOURCE, record: PINNED });
const dual = port({ options: ARMED, record: DUAL });
const stale = { ...DUAL, migration: 'another' };

const at = (name: string, ports: readonly Port[], objects: Partial<Objects> = {}) =>
  observe(factsAt({ ...moment(name), ...objects }), ports);

/** The changes that the ports need, whosever step they are. */
function changesOf({ ports }: ReturnType<typeof observe>): PortChange[] {
  const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: new Date() };
  return ports.flatMap(({ port, wanted }) => changeFor(port, wanted, setup) ?? []);
}

interface Done {
  readonly changes?: readonly PortChange[];
  readonly gates?: readonly SchedulingGate[];
  readonly isClaimAwaited?: boolean;
  readonly call?: Partial<CallSoFar>;
}

function requeue(name: FunctionName, observed: ReturnType<typeof observe>, done: Done = {}) {
  const { changes = [], gates, isClaimAwaited = false, call } = done;
  const release: SchedulingGateRelease | undefined = gates && {
    pod: pod('target-01-created-unscheduled'),
    gates,
    annotations: {},
    events: [],
  };
  const soFar = { elapsedMs: 0, hasLetGo: false, repeated: 0, isPodDeletion: false, ...call };
  return requeueAfter(name, observed, { changes, ungate: release ? [release] : [], isClaimAwaited }, soFar);
}

test('without a migration there is nothing to come, whatever was done, unless a pod was deleted', () => {
  const ended = at('succeeded', [dual]);
  const done = {
    changes: changesOf(ended),
    gates: [DUAL_GATE],
    call: { hasLetGo: true },
  } as const;
  expect(done.changes).toHaveLength(1);
  for (const name of functions) expect(requeue(name, ended, done)).toBeUndefined();
});

test('a port that was bound to the chassis of the guest, which is alone there, is looked at again at once to be released', () => {
  const alone = at('succeeded', [pinned], { migrations: [], pods: [pod('target-05-active-after-migration')] });
  const changes = changesOf(alone);
  expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['pinned']);
  for (const name of functions) {
    expect(requeue(name, alone, { changes })).toMatchObject({ by: 'function', afterMs: 0 });
    expect(requeue(name, alone, { changes, isClaimAwaited: true })).toMatchObject({ by: 'function', afterMs: 1_000 });
    expect(requeue(name, alone)).toBeUndefined();
  }
});

test('with all that is to be done done, there is nothing to come', () => {
  for (const name of functions) {
    expect(requeue(name, at('hand-off', [dual]))).toBeUndefined();
    expect(requeue(name, at('VMIM created', [pinned]))).toBeUndefined();
  }
});

describe('a change on the way to another one', () => {
  test('is followed by a look at once', () => {
    const observed = at('target pod scheduled', [
      port({ options: { 'requested-chassis': 'chassis-1,chassis-3' }, record: DUAL }),
    ]);
    const changes = changesOf(observed);
    expect(changes).toMatchObject([{ isInterim: true }]);
    expect(requeue('enable-dual-chassis', observed, { changes })).toEqual({
      by: 'function',
      afterMs: 0,
      why: 'bound to the source alone for a moment, to be armed next',
    });
  });

  test('is that also where only one of several ports has it', () => {
    const observed = at('target pod scheduled', [
      pinned,
      port({ ...SECOND, options: { 'requested-chassis': 'chassis-3,chassis-2' }, record: DUAL }),
    ]);
    expect(requeue('enable-dual-chassis', observed, { changes: changesOf(observed) })).toMatchObject({ afterMs: 0 });
  });
});

describe('a port’s first record of a migration', () => {
  test.each([
    ['that had none', port()],
    ['that had one of another migration', port({ options: TO_SOURCE, record: { ...PINNED, migration: 'another' } })],
    ['that lost it', port({ options: ARMED })],
    ['that was stripped of its binding', port({ record: { ...PINNED } })],
  ])(
    'is followed by a look at once, for nobody could see from the row that the migration had ended: of a port %s',
    (_which, before) => {
      for (const name of ['VMIM created', 'target pod scheduled', 'node moved']) {
        const observed = at(name, [before]);
        expect(requeue('reconcile', observed, { changes: changesOf(observed) })).toEqual({
          by: 'function',
          afterMs: 0,
          why: 'the migration may have ended, or its VM gone, when no row could show that yet',
        });
      }
    },
  );

  test('is one also where another port has its record', () => {
    const observed = at('VMIM created', [pinned, port(SECOND)]);
    expect(requeue('reuse-port', observed, { changes: changesOf(observed) })).toMatchObject({ by: 'function' });
  });

  test('is none where the record was there, or nothing was written', () => {
    const observed = at('target pod scheduled', [pinned, second]);
    expect(changesOf(observed)).toHaveLength(2);
    expect(requeue('enable-dual-chassis', observed, { changes: changesOf(observed) })).toBeUndefined();
    expect(requeue('enable-dual-chassis', at('target pod scheduled', [port()]))).toBeUndefined();
  });
});

describe('a target that waits for its ports to be bound', () => {
  const unbound = at('target pod created', [port({ options: ARMED, record: stale })]);

  test('is come back to by the broker, of those who take the first gate off', () => {
    for (const name of functions) {
      const expected =
        name === 'reuse-port' || name === 'reconcile'
          ? {
              by: 'broker',
              afterMs: 1_000,
              why: 'the ports of the VMI are not yet bound for migration kubevirt-migrate-vm-x7k2p',
            }
          : undefined;
      expect(requeue(name, unbound)).toEqual(expected);
    }
  });

  test('is come back to by the broker of those who take the second gate off where somebody took its binding off', () => {
    const stripped = at('target pod created', [port({ record: PINNED })]);
    for (const name of functions) {
      const isOurs = name !== 'disable-dual-chassis' && name !== 'release-port';
      expect([name, requeue(name, stripped)?.by]).toEqual([name, isOurs ? 'broker' : undefined]);
    }
  });

  test('is also one whose VMI has no node to pin the ports to, or of which one port is missing', () => {
    const nodeless = { vmi: vmi('01-idle', { status: { nodeName: '' } }) };
    expect(requeue('reuse-port', at('target pod created', [port()], nodeless))).toMatchObject({ by: 'broker' });
    expect(requeue('reuse-port', at('target pod created', [pinned, port(SECOND)]))).toMatchObject({ by: 'broker' });
  });

  test('is none where nothing is ours, the target does not wait, or there is none', () => {
    const silent = { vmi: vmi('01-idle', { metadata: { annotations: {} } }) };
    const deleting = { migrations: [vmim('10-aborting-running')] };
    for (const observed of [
      at('target pod created', [port()], silent),
      at('target pod created', []),
      at('target pod created', [port()], deleting),
      at('VMIM created', [port()]),
      at('node moved', [port()]),
    ]) {
      expect(requeue('reuse-port', observed)).toBeUndefined();
    }
  });
});

describe('whoever took the last gate off a target', () => {
  const stay = { by: 'function', afterMs: 100, why: 'the target was let go, and has no node yet to be dual for' };
  const unscheduled = at('target pod created', [pinned, second]);
  const scheduled = at('target pod scheduled', [pinned, second]);

  test('stays with it until it has a node, by which the same look makes its ports dual', () => {
    for (const name of ['enable-dual-chassis', 'reconcile'] as const) {
      expect(requeue(name, unscheduled, { gates: [DUAL_GATE] })).toEqual(stay);
      expect(requeue(name, unscheduled, { gates: [PORT_GATE, DUAL_GATE] })).toEqual(stay);
      expect(requeue(name, unscheduled, { call: { hasLetGo: true, elapsedMs: 4_999 } })).toEqual(stay);
      expect(requeue(name, scheduled, { call: { hasLetGo: true } })).toBeUndefined();
      expect(requeue(name, unscheduled, { gates: [PORT_GATE] })).toBeUndefined();
    }
  });

  test('stays for five seconds at most', () => {
    expect(requeue('reconcile', unscheduled, { call: { hasLetGo: true, elapsedMs: 5_000 } })).toBeUndefined();
    expect(requeue('reconcile', unscheduled, { gates: [DUAL_GATE], call: { elapsedMs: 5_000 } })).toBeUndefined();
  });

  test('does not stay where the target is on the source’s own node: the ports are never dual there', () => {
    const beside = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' } });
    const observed = at('target pod scheduled', [pinned], { pods: [pod('source-running'), beside] });
    expect(requeue('reconcile', observed, { call: { hasLetGo: true } })).toBeUndefined();
  });

  test('does not stay once the migration is over, is being deleted, or has switched', () => {
    const call = { hasLetGo: true };
    const deleting = { migrations: [vmim('10-aborting-running')] };
    expect(requeue('reconcile', at('target pod created', [pinned], deleting), { call })).toBeUndefined();
    expect(requeue('reconcile', at('target pod annotated', [pinned]), { call })).toBeUndefined();
    expect(requeue('reconcile', at('succeeded', [pinned]), { call })).toBeUndefined();
  });

  test('does not stay with a target of which nothing is ours', () => {
    expect(requeue('reconcile', at('target pod created', []), { gates: [DUAL_GATE] })).toBeUndefined();
  });

  test('leaves, if another gate is left: whoever takes that off stays', () => {
    expect(requeue('reuse-port', unscheduled, { gates: [PORT_GATE] })).toBeUndefined();
    expect(requeue('reuse-port', unscheduled)).toBeUndefined();
  });
});

describe('the deletion of a launcher pod while a migration runs', () => {
  const observed = at('hand-off', [dual]);
  const afterwards = (elapsedMs: number) =>
    requeue('reconcile', observed, { call: { isPodDeletion: true, elapsedMs } });

  test('is followed by looks half a second and two seconds later: Kube-OVN may write after the first', () => {
    const why = 'a launcher pod was deleted, and Kube-OVN may take the binding off';
    expect(afterwards(0)).toEqual({ by: 'function', afterMs: 500, why });
    expect(afterwards(30)).toEqual({ by: 'function', afterMs: 470, why });
    expect(afterwards(499)).toEqual({ by: 'function', afterMs: 1, why });
    expect(afterwards(500)).toEqual({ by: 'function', afterMs: 1_500, why });
    expect(afterwards(1_999)).toEqual({ by: 'function', afterMs: 1, why });
    expect(afterwards(2_000)).toBeUndefined();
  });

  test('does not keep a function from staying with a target that it let go', () => {
    const call = { isPodDeletion: true, hasLetGo: true };
    expect(requeue('reconcile', at('target pod created', [pinned]), { call })).toMatchObject({ afterMs: 100 });
  });
});

test('the deletion of a pod when no migration runs is looked at again only where a port is left with a record', () => {
  const call = { isPodDeletion: true, elapsedMs: 0 };
  const over = { migrations: [] };
  expect(requeue('reconcile', at('succeeded', [pinned], over), { call })).toMatchObject({ afterMs: 500 });
  expect(requeue('reconcile', at('succeeded', [port()], over), { call })).toBeUndefined();
  expect(requeue('reconcile', at('succeeded', [pinned], over), {})).toBeUndefined();
});
