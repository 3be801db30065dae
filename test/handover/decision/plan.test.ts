import { describe, expect, test } from '@jest/globals';
import type { FunctionName } from '../../../handover/decision/desired.ts';
import type { Objects } from '../../../handover/decision/facts.ts';
import { DUAL_GATE, PORT_GATE } from '../../../handover/decision/kubevirt.ts';
import type { Observation } from '../../../handover/decision/observation.ts';
import { type PlanSetup, plan } from '../../../handover/decision/plan.ts';
import type { Port } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import { factsAt, moment, NOW, pod, vmi, vmim } from '../../../testkit/moments.ts';
import { chassisNamed, observe } from '../support/observed.ts';
import { ARMED, DUAL, PINNED, port, SECOND, TO_BOTH, TO_SOURCE } from '../support/ports.ts';

const functions = [
  'reuse-port',
  'enable-dual-chassis',
  'disable-dual-chassis',
  'release-port',
  'reconcile',
] as const satisfies FunctionName[];
const setup: PlanSetup = {
  profile: profileOf('kube-ovn', ''),
  activationStrategy: 'rarp',
  now: NOW,
  call: { elapsedMs: 0, hasLetGo: false, repeated: 0, isPodDeletion: false },
};
const pinned = port({ options: TO_SOURCE, record: PINNED });
const dual = port({ options: ARMED, record: DUAL });
const second = port({ ...SECOND, options: TO_SOURCE, record: PINNED });
const activated = { binding: { activated: ['chassis-2'] } };

const at = (name: string, ports: readonly Port[], more?: Parameters<typeof observe>[2], objects?: Partial<Objects>) =>
  observe(factsAt({ ...moment(name), ...objects }), ports, more);
const bindings = (name: FunctionName, observed: Observation, more: Partial<PlanSetup> = {}) =>
  plan(name, observed, { ...setup, ...more }).changes.map(({ options }) => options['requested-chassis'] ?? 'nothing');
const reasons = (name: FunctionName, observed: Observation, more: Partial<PlanSetup> = {}) =>
  plan(name, observed, { ...setup, ...more }).events.map(({ reason }) => reason);

describe('the changes of a look', () => {
  test.each<[string, Port, readonly FunctionName[], string]>([
    ['VMIM created', port(), ['reuse-port', 'reconcile'], 'chassis-1'],
    ['target pod scheduled', pinned, ['enable-dual-chassis', 'reconcile'], 'chassis-1,chassis-2'],
    ['memory is copied', pinned, ['enable-dual-chassis', 'reconcile'], 'chassis-1,chassis-2'],
    ['node moved', dual, ['disable-dual-chassis', 'reconcile'], 'chassis-2'],
    ['succeeded', dual, functions, 'chassis-2'],
  ])('are those that are the function’s own to make: %s', (name, before, makers, becomes) => {
    for (const each of functions) {
      expect(bindings(each, at(name, [before]))).toEqual(makers.includes(each) ? [becomes] : []);
    }
  });

  test('are of every port of the VM that has not got its binding yet', () => {
    const observed = at('target pod scheduled', [pinned, second, { ...dual, uuid: 'third', name: 'third' }]);
    expect(plan('enable-dual-chassis', observed, setup).changes.map(({ port }) => port.name)).toEqual([
      'web-01.prod',
      SECOND.name,
    ]);
  });

  test('are on the way alone, where one port has to go over another binding: the others go with it', () => {
    const elsewhere = port({ options: { 'requested-chassis': 'chassis-1,chassis-3' }, record: DUAL });
    const fresh = port({ ...SECOND });
    const { changes } = plan('enable-dual-chassis', at('target pod scheduled', [elsewhere, fresh]), setup);
    expect(changes.map(({ port, isInterim }) => [port.name, isInterim])).toEqual([[elsewhere.name, true]]);
  });

  test('are written with the time of the look, the chassis’ names and the strategy of the installation', () => {
    const [change] = plan('enable-dual-chassis', at('target pod scheduled', [pinned]), setup).changes;
    expect(change?.options).toEqual({ ...ARMED, ...recordEntries(DUAL, new Date(NOW)) });
    const newer = { 'worker-b': [{ ...chassisNamed('chassis-2'), strategySupport: 'all' as const }] };
    const observed = at('target pod scheduled', [pinned], { chassis: newer });
    const other = { ...setup, activationStrategy: 'rarp,garp' };
    expect(plan('enable-dual-chassis', observed, other).changes[0]?.options).toMatchObject({
      'activation-strategy': 'rarp,garp',
    });
  });

  test('are none, nor is anything else, where all is as it should be', () => {
    const { changes, ungate, events, requeue } = plan('reconcile', at('hand-off', [dual]), setup);
    // The target pod of the fixtures has no hint yet.
    expect({ changes, gates: ungate.flatMap(({ gates }) => gates), events, requeue }).toEqual({
      changes: [],
      gates: [],
      events: [],
      requeue: undefined,
    });
  });
});

describe('a node without its one chassis', () => {
  test.each([
    ['no chassis', [], 'ChassisUnknown'],
    ['several of which none is known to live', ['new', 'old'].map(chassisNamed), 'ChassisAmbiguous'],
  ])('stops all changes that name it, for five seconds, with a warning: %s', (_what, found, reason) => {
    const observed = at('target pod scheduled', [pinned, second], { chassis: { 'worker-b': found } });
    const { changes, events, requeue } = plan('enable-dual-chassis', observed, setup);
    expect(changes).toEqual([]);
    expect(events).toMatchObject([{ type: 'Warning', reason }]);
    for (const { name } of found) expect(events[0]?.message).toContain(name);
    expect(requeue).toEqual({ by: 'broker', afterMs: 5_000, why: events[0]!.message });
  });

  test('is told of once for each node', () => {
    const chassis = { 'worker-a': [], 'worker-b': [] };
    const { events, requeue } = plan('reconcile', at('target pod scheduled', [pinned, second], { chassis }), setup);
    expect(events.map(({ message }) => message.match(/worker-./)?.[0])).toEqual(['worker-a', 'worker-b']);
    expect(requeue?.why).toContain('worker-a');
  });

  test('and which was not looked up counts as one without', () => {
    const observed = at('target pod scheduled', [pinned]);
    const southbound = { ...observed.southbound, chassis: new Map() };
    expect(reasons('reconcile', { ...observed, southbound })).toEqual(['ChassisUnknown', 'ChassisUnknown']);
  });

  test('is no matter to a function that has nothing to write there', () => {
    const chassis = { 'worker-a': [], 'worker-b': [] };
    const { events, requeue } = plan('disable-dual-chassis', at('target pod scheduled', [pinned], { chassis }), setup);
    expect([events, requeue]).toEqual([[], undefined]);
    expect(bindings('release-port', observe(factsAt({ vmi: undefined }), [dual], { chassis }))).toEqual(['nothing']);
  });

  test('does not keep a target at its gate whose ports name the migration', () => {
    const target = pod('target-02-scheduled', {
      spec: { schedulingGates: [{ name: DUAL_GATE }], nodeName: 'worker-b' },
    });
    const pods = [pod('source-running'), target];
    const observed = at('target pod scheduled', [pinned], { chassis: { 'worker-b': [] } }, { pods });
    expect(plan('enable-dual-chassis', observed, setup).ungate).toMatchObject([{ gates: [DUAL_GATE] }]);
  });
});

describe('a port that its target cannot hold', () => {
  const garp = { activationStrategy: 'garp' };

  test('stays with the source alone, with a warning for each that says why', () => {
    const observed = at('target pod scheduled', [port(), second]);
    const { changes, events } = plan('enable-dual-chassis', observed, { ...setup, ...garp });
    // The second one has the binding and the record of that already.
    expect(changes.map(({ port, options }) => [port.name, options['requested-chassis']])).toEqual([
      ['web-01.prod', 'chassis-1'],
    ]);
    expect(events.map(({ reason, message }) => [reason, message.split(' ')[1]])).toEqual([
      ['PortCannotBeHeld', 'web-01.prod'],
      ['PortCannotBeHeld', SECOND.name],
    ]);
    expect(events[0]?.message).toContain('on worker-b it cannot be held by garp, for ovn-controller knows only rarp');
  });

  test('is told by the addresses that the southbound database has of it', () => {
    const chassis = { 'worker-b': [{ ...chassisNamed('chassis-2'), strategySupport: 'all' as const }] };
    const observed = (addresses: string[]) => at('target pod scheduled', [pinned], { chassis, binding: { addresses } });
    expect(reasons('enable-dual-chassis', observed(['unknown']))).toEqual(['PortCannotBeHeld']);
    expect(reasons('enable-dual-chassis', observed(['02:00:5e:10:00:01 192.168.50.10']))).toEqual([]);
    const unbound = at('target pod scheduled', [pinned], { chassis });
    const southbound = { ...unbound.southbound, bindings: new Map() };
    expect(reasons('enable-dual-chassis', { ...unbound, southbound })).toEqual(['PortCannotBeHeld']);
  });

  test('is judged by the target’s chassis, not by the source’s', () => {
    const all = { strategySupport: 'all' as const };
    const judged = (node: string, name: string) =>
      reasons(
        'enable-dual-chassis',
        at('target pod scheduled', [pinned], { chassis: { [node]: [{ ...chassisNamed(name), ...all }] } }),
        garp,
      );
    expect(judged('worker-a', 'chassis-1')).toEqual(['PortCannotBeHeld']);
    expect(judged('worker-b', 'chassis-2')).toEqual([]);
  });

  test('is left as it is where it is dual already', () => {
    const { changes, events } = plan('enable-dual-chassis', at('target pod scheduled', [dual]), { ...setup, ...garp });
    expect([changes, events]).toEqual([[], []]);
  });

  test('is made open once memory is copied, without a warning: it need not be held', () => {
    const claimed = { binding: { additionalChassis: ['uuid of chassis-2'] } };
    const observed = at('memory is copied', [pinned], claimed);
    const { changes, events } = plan('enable-dual-chassis', observed, { ...setup, ...garp });
    expect(changes[0]?.options).toEqual({ ...TO_BOTH, ...recordEntries(DUAL, new Date(NOW)) });
    expect(events).toEqual([]);
  });
});

test('a port that the southbound database does not have yet is armed: nothing has opened it', () => {
  for (const before of [pinned, port({ record: DUAL })]) {
    const observed = at('target pod scheduled', [before]);
    const southbound = { ...observed.southbound, bindings: new Map() };
    const { changes, requeue } = plan('enable-dual-chassis', { ...observed, southbound }, setup);
    expect(changes).toMatchObject([{ options: ARMED }]);
    expect(requeue?.by).not.toBe('broker');
  }
});

describe('a port that is still marked as activated', () => {
  test('is not armed: that waits, with all other ports of the VM, until northd has forgotten it', () => {
    const observed = at('target pod scheduled', [second, pinned]);
    const marked = { ...observed.southbound.bindings.get('web-01.prod')!, activated: ['chassis-2', 'chassis-3'] };
    const bindings = new Map([...observed.southbound.bindings, ['web-01.prod', marked] as const]);
    const { changes, requeue } = plan(
      'enable-dual-chassis',
      { ...observed, southbound: { ...observed.southbound, bindings } },
      setup,
    );
    expect(changes).toEqual([]);
    expect(requeue).toEqual({
      by: 'broker',
      afterMs: 1_000,
      why: 'port web-01.prod is still marked as activated on chassis-2, chassis-3; ovn-northd has to forget that before it can be armed again',
    });
  });

  test('is pinned all the same, made open, or left as it is', () => {
    expect(bindings('disable-dual-chassis', at('node moved', [dual], activated))).toEqual(['chassis-2']);
    expect(bindings('enable-dual-chassis', at('memory is copied', [pinned], activated))).toEqual([
      'chassis-1,chassis-2',
    ]);
    const right = plan('enable-dual-chassis', at('target pod scheduled', [dual], activated), setup);
    expect([right.changes, right.requeue]).toEqual([[], undefined]);
  });

  test('and which is bound to another second chassis goes by the source alone first', () => {
    const stale = port({ options: { 'requested-chassis': 'chassis-1,chassis-3' }, record: DUAL });
    const { changes, requeue } = plan('enable-dual-chassis', at('target pod scheduled', [stale], activated), setup);
    expect(changes).toMatchObject([{ isInterim: true, options: { 'requested-chassis': 'chassis-1' } }]);
    expect(requeue).toMatchObject({ by: 'function', afterMs: 0 });
  });

  test('and that cannot be held is told of though nothing is written', () => {
    const mixed = at('target pod scheduled', [pinned, second], activated);
    const target = mixed.southbound.bindings.get(SECOND.name)!;
    const bindings = new Map([...mixed.southbound.bindings, [SECOND.name, { ...target, addresses: [] }] as const]);
    const chassis = new Map([
      ...mixed.southbound.chassis,
      ['worker-b', [{ ...chassisNamed('chassis-2'), strategySupport: 'all' as const }]] as const,
    ]);
    const { changes, events, requeue } = plan(
      'enable-dual-chassis',
      { ...mixed, southbound: { chassis, bindings } },
      setup,
    );
    expect(changes).toEqual([]);
    expect(events).toMatchObject([{ reason: 'PortCannotBeHeld' }]);
    expect(requeue).toMatchObject({ by: 'broker' });
  });
});

describe('facts that are older than two seconds', () => {
  test('are read again before they are acted on', () => {
    const observed = at('VMIM created', [port()]);
    expect(bindings('reuse-port', observed, { now: NOW + 2_000 })).toEqual(['chassis-1']);
    const { changes, requeue } = plan('reuse-port', observed, { ...setup, now: NOW + 2_001 });
    expect(changes).toEqual([]);
    expect(requeue).toEqual({ by: 'function', afterMs: 0, why: 'the facts went stale before they were acted on' });
  });

  test('are good enough where there is nothing to write', () => {
    const { requeue } = plan('reuse-port', at('VMIM created', [pinned]), { ...setup, now: NOW + 60_000 });
    expect(requeue).toBeUndefined();
  });
});

describe('what is wrong though nothing can be done about it here', () => {
  const beside = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' } });
  const onSource = { pods: [pod('source-running'), beside] };

  test('a target on the source’s own node is told of by every function', () => {
    for (const name of functions) {
      expect(reasons(name, at('target pod scheduled', [pinned], {}, onSource))).toEqual(['TargetOnSourceNode']);
    }
    const [event] = plan('reconcile', at('target pod scheduled', [pinned], {}, onSource), setup).events;
    expect(event?.message).toContain('is on worker-a, where the guest runs already');
  });

  test('it is none of a VM that is not ours, nor once it has ended', () => {
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    expect(reasons('reconcile', at('target pod scheduled', [port()], {}, { ...onSource, vmi: silent }))).toEqual([]);
    const failed = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' }, status: { phase: 'Failed' } });
    const pods = [pod('source-running'), failed];
    expect(reasons('reconcile', at('target pod scheduled', [pinned], {}, { pods }))).toEqual([]);
  });

  test('a target that has not claimed its port while memory is copied is told of by whose step that is', () => {
    for (const name of functions) {
      const isOwn = name === 'enable-dual-chassis' || name === 'reconcile';
      expect(reasons(name, at('memory is copied', [dual]))).toEqual(isOwn ? ['TargetNotClaimed'] : []);
    }
    const [event] = plan('reconcile', at('memory is copied', [dual]), setup).events;
    expect(event?.message).toContain('bound to worker-b too, but its chassis chassis-2 has not claimed it');
  });

  test('the source’s claim is not the target’s, and a port that the southbound database lacks is not claimed', () => {
    const claimedBy = (chassis: string, ...additionalChassis: string[]) =>
      reasons('reconcile', at('memory is copied', [dual], { binding: { chassis, additionalChassis } }));
    expect(claimedBy('uuid of chassis-1')).toEqual(['TargetNotClaimed']);
    expect(claimedBy('uuid of chassis-1', 'uuid of chassis-2')).toEqual([]);
    expect(claimedBy('uuid of chassis-2')).toEqual([]);
    const observed = at('memory is copied', [dual]);
    const southbound = { ...observed.southbound, bindings: new Map() };
    expect(reasons('reconcile', { ...observed, southbound })).toEqual(['TargetNotClaimed']);
  });

  test('before memory is copied, or where the port is only being made dual, the target has still time to claim it', () => {
    expect(reasons('reconcile', at('hand-off', [dual]))).toEqual([]);
    expect(reasons('reconcile', at('memory is copied', [pinned]))).toEqual([]);
  });

  test('a target without its chassis is told of as that alone', () => {
    expect(reasons('reconcile', at('memory is copied', [dual], { chassis: { 'worker-b': [] } }))).toEqual([
      'ChassisUnknown',
    ]);
  });

  test('a target that nobody lets go is told of by every function', () => {
    const schedulingGates = [{ name: DUAL_GATE }, { name: PORT_GATE }];
    const pods = [pod('source-running'), pod('target-01-created-unscheduled', { spec: { schedulingGates } })];
    const observed = at('target pod created', [port()], {}, { pods });
    for (const name of functions) {
      expect(reasons(name, observed, { now: NOW + 60_000 })).toEqual(['TargetGated']);
      expect(reasons(name, observed, { now: Date.parse('2026-08-20T10:00:10Z') })).toEqual([]);
    }
  });

  test('without a migration, a target, or memory that is copied, nothing is', () => {
    for (const name of ['VMIM created', 'target pod created', 'succeeded']) {
      expect(reasons('disable-dual-chassis', at(name, [pinned]))).toEqual([]);
    }
    expect(reasons('reconcile', observe(factsAt({}), []))).toEqual([]);
  });
});

describe('the plan as a whole', () => {
  test('lets the target go by what is committed in the same look', () => {
    const schedulingGates = [{ name: PORT_GATE }];
    const pods = [pod('source-running'), pod('target-01-created-unscheduled', { spec: { schedulingGates } })];
    const observed = at('target pod created', [port()], {}, { pods });
    const { changes, ungate } = plan('reuse-port', observed, setup);
    expect(changes).toHaveLength(1);
    expect(ungate).toMatchObject([{ gates: [PORT_GATE] }]);
    // Stale facts are not acted on, so nothing is committed.
    expect(plan('reuse-port', observed, { ...setup, now: NOW + 2_001 }).ungate).toEqual([]);
  });

  test('looks again for what is still to come', () => {
    const { requeue } = plan('reuse-port', at('VMIM created', [port()]), setup);
    expect(requeue).toMatchObject({ by: 'function', afterMs: 0 });
    const call = { ...setup.call, isPodDeletion: true };
    expect(plan('reconcile', at('hand-off', [dual]), { ...setup, call }).requeue).toMatchObject({ afterMs: 500 });
  });

  test('notes of each port that is not changed which rule it goes by, and why nothing is done', () => {
    const port = 'web-01.prod';
    expect(plan('reuse-port', at('target pod scheduled', [pinned]), setup).notes).toEqual([
      {
        port,
        rule: '3b',
        why: "port web-01.prod: rule 3b, the target has a node: dual is enable-dual-chassis's step, or done",
      },
    ]);
    const deleting = { migrations: [vmim('10-aborting-running')] };
    expect(plan('reconcile', at('target pod created', [dual], {}, deleting), setup).notes).toEqual([
      {
        port,
        rule: '3c',
        why: 'port web-01.prod: rule 3c, the migration is being deleted, or one of its pods has ended: nothing is to be done',
      },
    ]);
  });

  test('has no note of a port that is changed', () => {
    const observed = at('target pod scheduled', [pinned, { ...dual, ...SECOND }]);
    expect(plan('enable-dual-chassis', observed, setup).notes.map(({ port }) => port)).toEqual([SECOND.name]);
  });
});
