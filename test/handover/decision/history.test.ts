import { describe, expect, test } from '@jest/globals';
import type { FunctionName, Rule } from '../../../handover/decision/desired.ts';
import type { KubernetesEvent } from '../../../handover/decision/events.ts';
import type { Facts } from '../../../handover/decision/facts.ts';
import {
  type EventTimes,
  historyOfChanges,
  historyOfEvents,
  historyOfRelease,
  historySeen,
  migrationOf,
} from '../../../handover/decision/history.ts';
import { DUAL_GATE, PORT_GATE, type VirtualMachineInstanceMigration } from '../../../handover/decision/kubevirt.ts';
import { changeFor, type Port } from '../../../handover/decision/port.ts';
import type { PortRecord } from '../../../handover/decision/record.ts';
import { factsAt, moment, NOW, pod, VMI_UID, VMIM_UID, vmim } from '../../../testkit/moments.ts';
import { observe } from '../support/observed.ts';
import { CHASSIS, DUAL, PINNED, port, SINCE as SINCE_DATE } from '../support/ports.ts';

const SINCE = SINCE_DATE.toISOString();
const NOW_TEXT = '2026-08-20T10:00:30.000Z';
const MOVED: PortRecord = { ...PINNED, target: 'worker-b' };

const looker = (name: FunctionName, event?: EventTimes) => ({ name, startedAt: NOW - 100, event });
const sent = (sentAt: number, showsSwitch = false): EventTimes => ({ sentAt, showsSwitch });

/** One look at ports, with the VMIM of the fixtures and one of another uid. */
function look(facts: Facts, ports: readonly Port[], migrations = [vmim('06-running'), other]) {
  return { ...observe(facts, ports), migrations };
}
const other = vmim('06-running', { metadata: { uid: 'another' } });

/** A port with a record that holds since {@link SINCE}. */
const recorded = (record: PortRecord): Port => port({ record });

type Entries = readonly { readonly vmim: VirtualMachineInstanceMigration; readonly record: object }[];
const momentsOf = (entries: Entries) => entries.map(({ vmim, record }) => [vmim.metadata.uid, record]);

const scheduled = factsAt(moment('target pod scheduled'));
const switched = factsAt(moment('guest runs on the target'));
const succeeded = factsAt(moment('succeeded'));

describe('what a look shows', () => {
  const moments = (name: FunctionName, facts: Facts, record: PortRecord) =>
    momentsOf(historySeen(looker(name), look(facts, [recorded(record)])));

  test('is since when a port has been bound, to whoever has to bind it', () => {
    const dual = { source: 'worker-a', target: 'worker-b', dual: { at: SINCE } };
    expect(moments('enable-dual-chassis', scheduled, DUAL)).toEqual([[VMIM_UID, dual]]);
    expect(moments('reconcile', scheduled, DUAL)).toEqual([[VMIM_UID, dual]]);
    expect(moments('reuse-port', scheduled, DUAL)).toEqual([]);
    const created = factsAt(moment('target pod created'));
    expect(moments('reuse-port', created, PINNED)).toEqual([[VMIM_UID, { source: 'worker-a', pinned: { at: SINCE } }]]);
  });

  test('is after a migration also where the guest has come to, or gone back to', () => {
    const moved = { source: 'worker-a', target: 'worker-b', pinnedToTarget: { at: SINCE } };
    expect(moments('release-port', succeeded, MOVED)).toEqual([[VMIM_UID, moved]]);
    const back = { source: 'worker-a', pinnedBack: { at: SINCE } };
    const failed = factsAt({ migrations: [] });
    expect(moments('release-port', failed, { ...MOVED, target: 'worker-a' })).toEqual([[VMIM_UID, back]]);
    expect(moments('release-port', failed, { ...DUAL, target: undefined })).toEqual([
      [VMIM_UID, { source: 'worker-a', dual: { at: SINCE } }],
    ]);
  });

  test('is nothing of a port without our record, or of one whose time somebody took away', () => {
    expect(historySeen(looker('reconcile'), look(scheduled, [port()]))).toEqual([]);
    const { 'handover-since': _since, ...options } = recorded(DUAL).options;
    const timeless = { ...recorded(DUAL), options };
    expect(historySeen(looker('reconcile'), look(scheduled, [timeless]))).toEqual([]);
  });

  test('is nothing where the VMIM is gone, or the port is not to be bound', () => {
    expect(historySeen(looker('reconcile'), look(scheduled, [recorded(DUAL)], []))).toEqual([]);
    const aborting = factsAt({ ...moment('target pod created'), migrations: [vmim('10-aborting-running')] });
    expect(historySeen(looker('reconcile'), look(aborting, [recorded(DUAL)]))).toEqual([]);
  });
});

describe('the switch', () => {
  const SECOND = Date.parse('2026-08-20T10:00:19Z');
  const seen = (name: FunctionName, event?: EventTimes, facts = switched, ports = [recorded(DUAL)]) =>
    historySeen(looker(name, event), look(facts, ports)).flatMap(({ record }) => record.switched?.at ?? []);

  test('is in the second that KubeVirt names', () => {
    expect(seen('disable-dual-chassis')).toEqual(['2026-08-20T10:00:19.000Z']);
    expect(seen('reconcile')).toEqual(['2026-08-20T10:00:19.000Z']);
  });

  test('is when the first event was sent that shows it, in that second', () => {
    expect(seen('disable-dual-chassis', sent(SECOND + 417, true))).toEqual(['2026-08-20T10:00:19.417Z']);
    expect(seen('disable-dual-chassis', sent(SECOND, true))).toEqual(['2026-08-20T10:00:19.000Z']);
    expect(seen('disable-dual-chassis', sent(SECOND + 1_200, true))).toEqual(['2026-08-20T10:00:19.999Z']);
  });

  test('is not when any other event was sent', () => {
    for (const event of [
      sent(SECOND + 417, false),
      sent(SECOND - 1, true),
      sent(SECOND + 1_500, true),
      { sentAt: undefined, showsSwitch: true },
    ]) {
      expect(seen('disable-dual-chassis', event)).toEqual(['2026-08-20T10:00:19.000Z']);
    }
    expect(seen('disable-dual-chassis', sent(SECOND + 1_499, true))).toEqual(['2026-08-20T10:00:19.999Z']);
  });

  test('is told by those that it wakes, not by all', () => {
    for (const name of ['reuse-port', 'enable-dual-chassis', 'release-port'] as const) expect(seen(name)).toEqual([]);
  });

  test('is told also of a migration that has ended already, as long as a port tells of it', () => {
    expect(seen('disable-dual-chassis', undefined, succeeded)).toHaveLength(1);
    expect(seen('disable-dual-chassis', undefined, succeeded, [port()])).toEqual([]);
    expect(seen('disable-dual-chassis', undefined, succeeded, [recorded({ ...MOVED, migration: 'another' })])).toEqual(
      [],
    );
  });

  test('is told where no port was ever bound, as long as one is ours to bind', () => {
    expect(seen('disable-dual-chassis', undefined, switched, [port()])).toHaveLength(1);
    expect(seen('disable-dual-chassis', undefined, switched, [])).toEqual([]);
    const notOptedIn = { ...switched, vmi: { ...switched.vmi!, optedIn: false } };
    expect(seen('disable-dual-chassis', undefined, notOptedIn, [port()])).toEqual([]);
  });
});

describe('what is committed', () => {
  const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: new Date(SINCE) };
  const committed = (facts: Facts, before: Port, event?: EventTimes) => {
    const observed = look(facts, [before]);
    const change = changeFor(before, observed.ports[0]!.wanted, setup)!;
    return momentsOf(historyOfChanges(looker('reconcile', event), observed, [change], NOW));
  };
  const by = (at: string) => ({ at, by: 'reconcile' });

  test('is a moment of the migration, at the time that the port has', () => {
    expect(committed(factsAt(moment('target pod created')), port())).toEqual([
      [VMIM_UID, { source: 'worker-a', pinned: by(SINCE) }],
    ]);
    expect(committed(scheduled, recorded(PINNED))).toEqual([
      [VMIM_UID, { source: 'worker-a', target: 'worker-b', dual: by(SINCE) }],
    ]);
    expect(committed(switched, recorded(DUAL))).toEqual([
      [VMIM_UID, { target: 'worker-b', pinnedToTarget: by(SINCE) }],
    ]);
    const back = factsAt({ migrations: [] });
    const twice = { ...back, vmi: { ...back.vmi!, isAlone: false } };
    expect(committed(twice, recorded(DUAL))).toEqual([[VMIM_UID, { source: 'worker-a', pinnedBack: by(SINCE) }]]);
  });

  test('is to the target also where nobody knows any more where the guest came from', () => {
    const moved = factsAt(moment('node moved'));
    expect(committed(moved, port())).toEqual([[VMIM_UID, { target: 'worker-b', pinnedToTarget: by(SINCE) }]]);
  });

  test('is released when it is committed, for the migration that the port told of', () => {
    const alone = factsAt({ migrations: [] });
    expect(committed(alone, recorded({ ...MOVED, target: 'worker-a' }))).toEqual([
      [VMIM_UID, { released: by(NOW_TEXT) }],
    ]);
    const unreadable = { ...recorded(MOVED), options: { 'handover-vmi': VMI_UID } };
    const back = recorded({ ...MOVED, target: 'worker-a' });
    const observed = look(alone, [back]);
    const change = { ...changeFor(back, observed.ports[0]!.wanted, setup)!, port: unreadable };
    expect(historyOfChanges(looker('reconcile'), observed, [change], NOW)).toEqual([]);
  });

  test('is as late as the event that woke the function came to it, and never early', () => {
    const late = (event: EventTimes) => committed(scheduled, port(), event)[0]![1];
    expect(late(sent(NOW - 350))).toMatchObject({ dual: { lateMs: 250 } });
    expect(late(sent(NOW))).toMatchObject({ dual: { lateMs: 0 } });
    expect(late({ sentAt: undefined, showsSwitch: false })).toMatchObject({ dual: by(SINCE) });
    expect(late({ sentAt: undefined, showsSwitch: false })).not.toHaveProperty('dual.lateMs');
  });
});

describe('a target that is let go', () => {
  const target = pod('target-01-created-unscheduled', {
    spec: { schedulingGates: [{ name: PORT_GATE }, { name: DUAL_GATE }, { name: 'example.com/quota' }] },
  });
  const facts = factsAt({ ...moment('target pod created'), pods: [pod('source-running'), target] });
  const release = (gates: (typeof PORT_GATE | typeof DUAL_GATE)[], of = target) =>
    momentsOf(
      historyOfRelease(
        looker('reconcile'),
        look(facts, [port()]),
        { pod: of, gates, annotations: {}, events: [] },
        NOW,
      ),
    );

  test('is ungated when the last of our gates is off', () => {
    expect(release([PORT_GATE, DUAL_GATE])).toEqual([[VMIM_UID, { ungated: { at: NOW_TEXT, by: 'reconcile' } }]]);
    expect(release([PORT_GATE])).toEqual([]);
  });

  test('is not ungated where it is only annotated, nor is a pod that is no target', () => {
    const free = pod('target-01-created-unscheduled');
    const observed = look(factsAt({ ...moment('target pod created'), pods: [pod('source-running'), free] }), [port()]);
    const annotated = { pod: free, gates: [], annotations: { a: 'b' }, events: [] };
    expect(historyOfRelease(looker('reconcile'), observed, annotated, NOW)).toEqual([]);
    expect(release([PORT_GATE, DUAL_GATE], pod('source-running'))).toEqual([]);
    const idle = look(factsAt({}), [port()]);
    const stray = { pod: target, gates: [PORT_GATE, DUAL_GATE] as const, annotations: {}, events: [] };
    expect(historyOfRelease(looker('reconcile'), idle, stray, NOW)).toEqual([]);
  });
});

describe('what is wrong', () => {
  const warning = { type: 'Warning', reason: 'NoPort', message: 'no port' } as const;
  const normal = { type: 'Normal', reason: 'PortPinned', message: 'pinned' } as const;
  const said = (facts: Facts, ports: Port[], events: KubernetesEvent[]) =>
    momentsOf(historyOfEvents(look(facts, ports), events, NOW));

  test('is a warning of the migration that runs, or of the one that the ports tell of', () => {
    const warnings = [{ reason: 'NoPort', at: NOW_TEXT }];
    expect(said(scheduled, [], [normal, warning])).toEqual([[VMIM_UID, { warnings }]]);
    expect(said(succeeded, [port(), recorded(MOVED)], [warning])).toEqual([[VMIM_UID, { warnings }]]);
  });

  test('is nothing where there is no migration, and no warning', () => {
    expect(said(succeeded, [port()], [warning])).toEqual([]);
    expect(said(scheduled, [], [normal])).toEqual([]);
    expect(said(scheduled, [], [])).toEqual([]);
  });
});

test('a look is about the migration that runs, before the one that the ports tell of', () => {
  const before = recorded({ ...MOVED, migration: 'another' });
  expect(migrationOf(look(scheduled, [before]))).toBe(VMIM_UID);
  expect(migrationOf(look(succeeded, [before]))).toBe('another');
  expect(migrationOf(look(succeeded, [port()]))).toBeUndefined();
});

// Each rule that binds a port ends in a moment, so that no step goes unrecorded.
test.each<[Rule, Facts, Port]>([
  ['3d', factsAt(moment('target pod created')), port()],
  ['3b', scheduled, port()],
  ['3a', switched, port()],
])('rule %s ends in a moment', (rule, facts, before) => {
  const observed = look(facts, [before]);
  expect(observed.ports[0]!.wanted.rule).toBe(rule);
  const change = changeFor(before, observed.ports[0]!.wanted, {
    chassis: CHASSIS,
    activationStrategy: 'rarp',
    activated: [],
    now: new Date(NOW),
  })!;
  expect(historyOfChanges(looker('reconcile'), observed, [change], NOW)).toHaveLength(1);
});
