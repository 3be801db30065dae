import { describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../../handover/decision/desired.ts';
import type { Objects } from '../../../handover/decision/facts.ts';
import {
  heldTooLong,
  isBound,
  isOurs,
  needsHint,
  releasesOf,
  waitingTarget,
} from '../../../handover/decision/gates.ts';
import { DUAL_GATE, gatesOf, PORT_GATE, type Pod } from '../../../handover/decision/kubevirt.ts';
import { changeFor, type Port, type PortChange } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { factsAt, moment, pod, vmi, vmim } from '../../../testkit/moments.ts';
import { observe } from '../support/observed.ts';
import { ARMED, CHASSIS, DUAL, PINNED, port, SECOND, TO_SOURCE } from '../support/ports.ts';

const BINDING = '33333333-3333-4333-8333-333333333333';
const HINT = { 'ovn-handover.dev/ports': JSON.stringify({ ports: [port().uuid], bindings: [BINDING] }) };
const IDENTITY = { 'ovn.kubernetes.io/ip_address': '10.16.0.9' };
const ALL = [{ name: 'example.com/quota' }, { name: DUAL_GATE }, { name: PORT_GATE }];
const gated = pod('target-01-created-unscheduled', { spec: { schedulingGates: ALL } });
const ungated = pod('target-01-created-unscheduled');
const source = pod('source-running', { metadata: { annotations: IDENTITY } });
const bound = port({ options: TO_SOURCE, record: PINNED });
const functions = [
  'reuse-port',
  'enable-dual-chassis',
  'disable-dual-chassis',
  'release-port',
  'reconcile',
] as const satisfies FunctionName[];

/** What is there of a VM whose target pod waits, and has not got a node. */
function waiting(target: Pod, ports: readonly Port[], objects: Partial<Objects> = {}) {
  return observe(factsAt({ ...moment('target pod created'), pods: [source, target], ...objects }), ports);
}

/** What a function does to the pods, given what is there and what it changes. */
function releases(name: FunctionName, observed: ReturnType<typeof waiting>, changes: readonly PortChange[] = []) {
  return releasesOf(name, observed, changes, profileOf('kube-ovn', ''));
}

/** The change that a port of {@link waiting} needs. */
function pinning(observed: ReturnType<typeof waiting>): PortChange[] {
  const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: new Date() };
  return observed.ports.flatMap(({ port, wanted }) => changeFor(port, wanted, setup) ?? []);
}

describe('a gated target pod whose ports are bound for its migration', () => {
  const observed = waiting(gated, [bound]);

  test('is let to the next gate by reuse-port, with identity and hint', () => {
    expect(releases('reuse-port', observed)).toEqual([
      { pod: gated, gates: [PORT_GATE], annotations: { ...IDENTITY, ...HINT }, events: [] },
    ]);
  });

  test('is let off the other gate by enable-dual-chassis, which writes nothing else', () => {
    expect(releases('enable-dual-chassis', observed)).toEqual([
      { pod: gated, gates: [DUAL_GATE], annotations: {}, events: [] },
    ]);
  });

  test('is let off both by reconcile, with identity and hint', () => {
    expect(releases('reconcile', observed)).toEqual([
      { pod: gated, gates: [PORT_GATE, DUAL_GATE], annotations: { ...IDENTITY, ...HINT }, events: [] },
    ]);
  });

  test.each(['disable-dual-chassis', 'release-port'] as const)('is nothing to %s', (name) => {
    expect(releases(name, observed)).toEqual([]);
  });

  test('and which has one gate left is let off that one alone', () => {
    const annotations = { ...IDENTITY, ...HINT };
    const next = pod('target-01-created-unscheduled', {
      metadata: { annotations },
      spec: { schedulingGates: [{ name: DUAL_GATE }] },
    });
    const left = waiting(next, [bound]);
    expect(functions.map((name) => releases(name, left).map(({ gates }) => gates))).toEqual([
      [],
      [[DUAL_GATE]],
      [],
      [],
      [[DUAL_GATE]],
    ]);
  });
});

describe('a gated target pod', () => {
  test('does not wait for a port that is bound by the changes of this look', () => {
    const observed = waiting(gated, [port(), port({ ...SECOND, options: TO_SOURCE, record: PINNED })]);
    expect(releases('reuse-port', observed)).toEqual([]);
    expect(releases('reuse-port', observed, pinning(observed))).toMatchObject([{ gates: [PORT_GATE] }]);
  });

  test('waits while a port of the VM is bound for another migration, or for none, or was stripped', () => {
    const stale = port({ options: ARMED, record: { ...DUAL, migration: 'another' } });
    for (const ports of [[stale], [bound, port(SECOND)], [port()], [port({ record: PINNED })]]) {
      for (const name of functions) expect(releases(name, waiting(gated, ports))).toEqual([]);
    }
  });

  test('does not wait where somebody scheduled it and its ports are dual: another function made that step', () => {
    const target = pod('target-02-scheduled', { spec: { schedulingGates: ALL, nodeName: 'worker-b' } });
    const dual = port({ options: ARMED, record: DUAL });
    expect(releases('reuse-port', waiting(target, [dual]))).toMatchObject([{ gates: [PORT_GATE] }]);
  });

  test('that already has another identity is let go, and that is recorded', () => {
    const other = { metadata: { annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.77' } } };
    const target = pod('target-01-created-unscheduled', { spec: { schedulingGates: ALL }, ...other });
    expect(releases('reuse-port', waiting(target, [bound]))).toMatchObject([
      {
        gates: [PORT_GATE],
        annotations: HINT,
        events: [{ type: 'Warning', reason: 'IdentityDiffers', message: expect.stringContaining('10.16.0.77') }],
      },
    ]);
    expect(releases('enable-dual-chassis', waiting(target, [bound]))).toMatchObject([{ events: [] }]);
  });

  test.each([
    ['whose migration is being deleted', {}, { migrations: [vmim('10-aborting-running')] }],
    ['that is being deleted', { metadata: { deletionTimestamp: '2026-08-20T10:00:09Z' } }, {}],
    ['that failed', { status: { phase: 'Failed' } }, {}],
    ['whose VMI is gone', {}, { vmi: undefined }],
    ['of another VMI', { metadata: { ownerReferences: [] } }, {}],
  ])('%s is not let go', (_which, change, objects) => {
    const target = pod('target-01-created-unscheduled', { spec: { schedulingGates: ALL }, ...change });
    for (const name of functions) expect(releases(name, waiting(target, [bound], objects))).toEqual([]);
  });
});

describe('a gate without a reason goes with the first look of any function that may take one off', () => {
  const may = ['reuse-port', 'enable-dual-chassis', 'reconcile'] as const;
  const mayNot = ['disable-dual-chassis', 'release-port'] as const;
  const both = { pod: gated, gates: [PORT_GATE, DUAL_GATE], annotations: {} };

  function expectOff(observed: ReturnType<typeof waiting>, events: object[]) {
    for (const name of may) expect(releases(name, observed)).toEqual([{ ...both, events }]);
    for (const name of mayNot) expect(releases(name, observed)).toEqual([]);
  }

  test('where the VM has no port that can be found, which is a warning', () => {
    expectOff(waiting(gated, []), [
      { type: 'Warning', reason: 'NoPort', message: expect.stringContaining('prod/web-01') },
    ]);
  });

  test('where the VM is not opted in', () => {
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    const message =
      'Pod virt-launcher-web-01-c4c8h goes to the scheduler without a hand-over: its VMI is not opted in.';
    expectOff(waiting(gated, [port()], { vmi: silent }), [{ type: 'Normal', reason: 'NotHandedOver', message }]);
  });

  test('where its migration is not to be found, has ended, or is decentralized', () => {
    const half = vmim('02-scheduling', { spec: { receive: {} } });
    for (const [migrations, why] of [
      [[], 'there is no VMIM'],
      [[vmim('08-failed')], 'has ended'],
      [[half], 'is decentralized'],
    ] as const) {
      const message = expect.stringMatching(new RegExp(`goes to the scheduler without a hand-over: .*${why}`));
      expectOff(waiting(gated, [bound], { migrations }), [{ type: 'Normal', reason: 'NotHandedOver', message }]);
    }
  });

  test('also beside a target whose gate has one', () => {
    const stray = pod('target-01-created-unscheduled', {
      metadata: { uid: 'stray', name: 'stray', labels: { 'kubevirt.io/migrationJobUID': 'another' } },
      spec: { schedulingGates: [{ name: PORT_GATE }] },
    });
    const observed = observe(factsAt({ ...moment('target pod created'), pods: [source, gated, stray] }), [bound]);
    expect(releases('enable-dual-chassis', observed)).toMatchObject([
      { pod: stray, gates: [PORT_GATE], annotations: {} },
      { pod: gated, gates: [DUAL_GATE], events: [] },
    ]);
  });

  test('but not of a VM that opted out half-way: what is ours on one of its ports is brought to an end', () => {
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    const observed = waiting(gated, [bound, port(SECOND)], { vmi: silent });
    expect(isOurs(observed)).toBe(true);
    expect(releases('reuse-port', observed)).toMatchObject([{ gates: [PORT_GATE], events: [] }]);
  });
});

describe('a target pod without a gate', () => {
  test('is given identity and hint all the same', () => {
    expect(releases('reuse-port', waiting(ungated, [bound]))).toEqual([
      { pod: ungated, gates: [], annotations: { ...IDENTITY, ...HINT }, events: [] },
    ]);
    expect(releases('enable-dual-chassis', waiting(ungated, [bound]))).toEqual([]);
  });

  const given = (annotations: object) => pod('target-01-created-unscheduled', { metadata: { annotations } });

  test('that has both is left alone', () => {
    expect(releases('reuse-port', waiting(given({ ...HINT, ...IDENTITY }), [bound]))).toEqual([]);
  });

  test('that has the hint but not the identity is given that alone', () => {
    expect(releases('reuse-port', waiting(given(HINT), [bound]))).toMatchObject([{ annotations: IDENTITY }]);
    const [release] = releases('reuse-port', waiting(given(HINT), [bound]));
    expect(release?.annotations).toEqual(IDENTITY);
  });

  test('of a VM without ports, or that is not opted in, is left alone', () => {
    expect(releases('reuse-port', waiting(ungated, []))).toEqual([]);
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    expect(releases('reuse-port', waiting(ungated, [port()], { vmi: silent }))).toEqual([]);
  });

  test('whose hint is of fewer ports than the VM has is given a new one', () => {
    const second = port({ ...SECOND, options: TO_SOURCE, record: PINNED });
    const [release] = releases('reuse-port', waiting(given({ ...HINT, ...IDENTITY }), [bound, second]));
    expect(JSON.parse(release!.annotations['ovn-handover.dev/ports']!)).toEqual({
      ports: [port().uuid, second.uuid],
      bindings: [BINDING, BINDING],
    });
  });

  test('gets a hint without bindings where the southbound database has none', () => {
    const observed = waiting(ungated, [bound]);
    const bindings = new Map();
    const [release] = releases('reuse-port', { ...observed, southbound: { ...observed.southbound, bindings } });
    expect(JSON.parse(release!.annotations['ovn-handover.dev/ports']!)).toEqual({ ports: [port().uuid], bindings: [] });
  });

  test('that the guest already runs in is left alone', () => {
    const objects = moment('target pod annotated');
    const observed = observe(factsAt(objects), [port({ options: ARMED, record: DUAL })]);
    for (const name of functions) expect(releases(name, observed)).toEqual([]);
  });
});

test('the gates of a pod are those of these two names, in their order', () => {
  expect(gatesOf(gated)).toEqual([PORT_GATE, DUAL_GATE]);
  expect([PORT_GATE, DUAL_GATE]).toEqual(['ovn-handover.dev/port', 'ovn-handover.dev/dual']);
  expect(gatesOf(ungated)).toEqual([]);
});

test('the rows of the southbound database are needed for a hint that is not there yet, by who leaves it', () => {
  const needing = (target: Pod) => {
    const { facts } = waiting(target, [bound]);
    return functions.filter((name) => needsHint(name, facts));
  };
  expect(needing(gated)).toEqual(['reuse-port', 'reconcile']);
  expect(needing(pod('target-01-created-unscheduled', { metadata: { annotations: HINT } }))).toEqual([]);
  expect(needsHint('reuse-port', factsAt({}))).toBe(false);
});

test('a VM’s ports are bound for its migration when all that are ours name it', () => {
  expect(isBound(waiting(gated, [bound]), [])).toBe(true);
  expect(isBound(waiting(gated, [bound, port(SECOND)]), [])).toBe(false);
  const observed = waiting(gated, [bound, port(SECOND)]);
  expect(isBound(observed, pinning(observed))).toBe(true);
  const unbound = waiting(gated, [port(), port(SECOND)]);
  expect(isBound(unbound, pinning(unbound).slice(1))).toBe(false);
  const silent = vmi('01-idle', { metadata: { annotations: {} } });
  expect(isBound(waiting(gated, [bound, port(SECOND)], { vmi: silent }), [])).toBe(true);
});

test('a port is ours that is to be changed, or left alone on purpose', () => {
  const deleted = vmim('01-pending', { metadata: { deletionTimestamp: '2026-08-20T10:00:03Z' } });
  const silent = vmi('01-idle', { metadata: { annotations: {} } });
  expect(isOurs(waiting(gated, [port()]))).toBe(true);
  expect(isOurs(waiting(gated, [port()], { migrations: [deleted] }))).toBe(true);
  expect(isOurs(waiting(gated, []))).toBe(false);
  expect(isOurs(waiting(gated, [port()], { vmi: silent }))).toBe(false);
});

test('a target waits until it has ended, its migration is being deleted, or the guest has switched', () => {
  expect(waitingTarget(waiting(gated, []).facts)).toBe(gated);
  for (const name of ['VMIM created', 'target pod annotated', 'succeeded']) {
    expect(waitingTarget(factsAt(moment(name)))).toBeUndefined();
  }
});

describe('a target that nobody lets go', () => {
  const held = (change: object, time: string, name = 'target-01-created-unscheduled') => {
    const { facts } = waiting(pod(name, { spec: { schedulingGates: ALL }, ...change }), [bound]);
    return heldTooLong(facts, Date.parse(time));
  };
  const created = (creationTimestamp: unknown) => ({ metadata: { creationTimestamp } });

  test('is a warning once it has been held for more than 30 seconds', () => {
    const at = created('2026-08-20T10:00:02Z');
    expect(held(at, '2026-08-20T10:00:32.000Z')).toEqual([]);
    expect(held(at, '2026-08-20T10:00:32.001Z')).toMatchObject([
      {
        type: 'Warning',
        reason: 'TargetGated',
        message: expect.stringContaining('ovn-handover.dev/port and ovn-handover.dev/dual for more than 30 s'),
      },
    ]);
  });

  test('is none where nobody knows since when it waits', () => {
    expect(held(created(undefined), '2027-01-01T00:00:00Z')).toEqual([]);
  });

  test('is none where our gates do not hold it, or it does not wait', () => {
    const later = Date.parse('2027-01-01T00:00:00Z');
    expect(heldTooLong(waiting(ungated, [bound]).facts, later)).toEqual([]);
    const foreign = pod('target-01-created-unscheduled', {
      spec: { schedulingGates: [{ name: 'example.com/quota' }] },
    });
    expect(heldTooLong(waiting(foreign, [bound]).facts, later)).toEqual([]);
    expect(heldTooLong(factsAt({}), later)).toEqual([]);
    expect(held({ status: { phase: 'Failed' } }, '2027-01-01T00:00:00Z')).toEqual([]);
  });
});
