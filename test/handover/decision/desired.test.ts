import { describe, expect, test } from '@jest/globals';
import { type Desired, desired } from '../../../handover/decision/desired.ts';
import { factsOf } from '../../../handover/decision/facts.ts';
import type { PortRecord } from '../../../handover/decision/record.ts';
import { factsAt, IDLE, migration, moment, pod, VMI_UID, VMIM_UID, vmi, vmim } from '../support/moments.ts';

const pinned: PortRecord = {
  vmi: VMI_UID,
  migration: VMIM_UID,
  binding: 'pinned',
  source: 'worker-a',
  target: undefined,
};
const dual: PortRecord = { ...pinned, binding: 'dual', target: 'worker-b' };
const earlier: PortRecord = { ...pinned, vmi: 'an-earlier-vmi', migration: 'an-earlier-migration' };
const notOptedIn = vmi('01-idle', { metadata: { annotations: {} } });

/** What a port's record becomes when the functions see each moment once, in order. */
function follow(moments: readonly Parameters<typeof factsOf>[0][], start?: PortRecord) {
  let record = start;
  return moments.map((objects) => {
    const wanted = desired(factsOf(objects), record);
    if (wanted.binding !== 'leave') record = wanted.binding === 'unbound' ? undefined : wanted.record;
    return wanted;
  });
}

/** `3b dual worker-a,worker-b`, as the table of the rules has it. */
function told(wanted: Desired): string {
  if (wanted.binding === 'pinned') return `${wanted.rule} pinned ${wanted.node}`;
  if (wanted.binding === 'dual') return `${wanted.rule} dual ${wanted.source},${wanted.target}`;
  return `${wanted.rule} ${wanted.binding}`;
}

test('a migration that succeeds goes pinned, dual, pinned', () => {
  const story = migration().map(({ moment }, index) => [moment, told(follow(migration())[index]!)]);
  expect(story).toEqual([
    ['VMIM created', '3d pinned worker-a'],
    ['target pod created', '3d pinned worker-a'],
    ['target pod unschedulable', '3d pinned worker-a'],
    ['target pod scheduled', '3b dual worker-a,worker-b'],
    ['target pod running', '3b dual worker-a,worker-b'],
    ['hand-off', '3b dual worker-a,worker-b'],
    ['target ready', '3b dual worker-a,worker-b'],
    ['memory is copied', '3b dual worker-a,worker-b'],
    ['guest runs on the target', '3a pinned worker-b'],
    ['target pod annotated', '3a pinned worker-b'],
    ['node moved', '3a pinned worker-b'],
    ['completed', '3a pinned worker-b'],
    ['succeeded', '4 pinned worker-b'],
  ]);
});

test('each binding is the step of one function', () => {
  const steps = follow(migration()).map((wanted) => 'step' in wanted && wanted.step);
  expect([...new Set(steps)]).toEqual(['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']);
});

test('the record keeps the source of the migration through the switch and after it', () => {
  const records = follow(migration()).map((wanted) => 'record' in wanted && wanted.record.source);
  expect(new Set(records)).toEqual(new Set(['worker-a']));
});

test('there and back: each migration is armed on its own (kube-ovn #6220)', () => {
  const back = vmim('02-scheduling', {
    metadata: { uid: 'back', name: 'back', creationTimestamp: '2026-08-20T11:00:00Z' },
  });
  const target = pod('target-03-running', {
    metadata: {
      uid: 'p-3',
      creationTimestamp: '2026-08-20T11:00:01Z',
      labels: { 'kubevirt.io/migrationJobUID': 'back' },
    },
    spec: { nodeName: 'worker-a' },
  });
  const objects = { vmi: vmi('07-completed'), migrations: [vmim('07c-succeeded-finalizer-removed'), back] };
  const [, started, scheduled] = follow(
    [
      moment('succeeded'),
      { ...objects, pods: [pod('target-05-active-after-migration')] },
      { ...objects, pods: [pod('target-05-active-after-migration'), target] },
    ],
    dual,
  );
  expect(told(started!)).toBe('3d pinned worker-b');
  expect(scheduled).toMatchObject({
    rule: '3b',
    source: 'worker-b',
    target: 'worker-a',
    record: { migration: 'back' },
  });
});

describe('rule 1: a VM that did not ask for it', () => {
  test.each(migration().map((objects) => [objects.moment, objects] as const))(
    'is left alone: %s',
    (_moment, objects) => {
      const silent = { ...objects, vmi: { ...objects.vmi!, metadata: notOptedIn.metadata } };
      expect(desired(factsOf(silent), undefined)).toMatchObject({ rule: '1', binding: 'leave' });
    },
  );

  test('and whose VMI is gone is left alone', () => {
    expect(desired(factsAt({ vmi: undefined }), undefined)).toMatchObject({ rule: '1', binding: 'leave' });
  });

  test.each(['Failed', 'Succeeded'])('and one that is %s, of which no port has a record, is left alone', (phase) => {
    const final = factsAt({ vmi: vmi('01-idle', { status: { phase } }) });
    expect(desired(final, undefined)).toEqual({ rule: '1', binding: 'leave' });
  });

  test('but one that opted out while its port has our record is brought to an end', () => {
    expect(told(desired(factsAt({ vmi: notOptedIn }), dual))).toBe('4 pinned worker-a');
  });
});

describe('rule 2: a VM that is no more', () => {
  test.each([
    ['gone', { vmi: undefined }],
    ['gone, with its VMIM still there', { ...moment('memory is copied'), vmi: undefined }],
    ['failed', { vmi: vmi('01-idle', { status: { phase: 'Failed' } }) }],
    ['stopped', { vmi: vmi('01-idle', { status: { phase: 'Succeeded' } }) }],
    [
      'failed in a migration',
      { ...moment('memory is copied'), vmi: vmi('04-running', { status: { phase: 'Failed' } }) },
    ],
  ])('has its port released: %s', (_how, objects) => {
    for (const record of [pinned, dual]) {
      expect(desired(factsAt(objects), record)).toEqual({ rule: '2', step: 'release-port', binding: 'unbound' });
    }
  });

  test('and started again under the same name has it released, not pinned to the node of before', () => {
    expect(told(desired(factsAt({}), earlier))).toBe('2 unbound');
  });

  test('but once a migration of the new VMI runs, its record takes the place of the old one', () => {
    expect(desired(factsOf(moment('VMIM created')), earlier)).toMatchObject({
      rule: '3d',
      node: 'worker-a',
      record: { vmi: VMI_UID, migration: VMIM_UID, source: 'worker-a' },
    });
  });
});

describe('rule 3a: after the switch', () => {
  test('a late event does not arm the target that the guest runs on (kube-ovn #5955)', () => {
    for (const name of ['guest runs on the target', 'target pod annotated', 'node moved', 'completed']) {
      for (const record of [undefined, pinned, dual, earlier]) {
        expect(told(desired(factsOf(moment(name)), record))).toBe('3a pinned worker-b');
      }
    }
  });

  test('holds also when the VMIM is being deleted: a deletion can lose the race', () => {
    const objects = { ...moment('guest runs on the target'), migrations: [vmim('10-aborting-running')] };
    expect(told(desired(factsOf(objects), dual))).toBe('3a pinned worker-b');
  });

  test('holds also when the target pod has ended since', () => {
    const pods = [pod('source-completed'), pod('target-04-domain-ready', { status: { phase: 'Failed' } })];
    expect(told(desired(factsOf({ ...moment('node moved'), pods }), dual))).toBe('3a pinned worker-b');
  });
});

describe('rule 3b: both chassis', () => {
  test('a target that is deleted is not bound anew', () => {
    const objects = { ...moment('target pod running'), migrations: [vmim('10-aborting-running')] };
    expect(told(desired(factsOf(objects), undefined))).toBe('3c leave');
    expect(told(desired(factsOf(objects), pinned))).toBe('3c leave');
    expect(told(desired(factsOf(objects), { ...dual, migration: 'another' }))).toBe('3c leave');
    expect(told(desired(factsOf(objects), { ...dual, target: 'worker-c' }))).toBe('3c leave');
  });

  test('but stays bound while the migration that is being deleted may still succeed', () => {
    const objects = { ...moment('memory is copied'), migrations: [vmim('10-aborting-running')] };
    expect(told(desired(factsOf(objects), dual))).toBe('3b dual worker-a,worker-b');
  });

  test('a dual binding left over from another migration is pinned first: northd would never forget what was activated', () => {
    const facts = factsOf(moment('target pod scheduled'));
    const wanted = desired(facts, { ...dual, migration: 'another', target: 'worker-c' });
    expect(wanted).toMatchObject({ rule: '3b', step: 'enable-dual-chassis', binding: 'pinned', node: 'worker-a' });
    expect(desired(facts, wanted.binding === 'pinned' ? wanted.record : undefined)).toMatchObject({
      rule: '3b',
      binding: 'dual',
      target: 'worker-b',
      record: dual,
    });
  });

  test('a port whose record is of another migration, or that has none, is told of this one first: its end has to show', () => {
    const facts = factsOf(moment('target pod scheduled'));
    for (const record of [undefined, earlier, { ...pinned, migration: 'another', target: 'worker-a' }]) {
      expect(desired(facts, record)).toMatchObject({ rule: '3b', binding: 'pinned', node: 'worker-a', record: pinned });
    }
    expect(desired(facts, pinned)).toMatchObject({ rule: '3b', binding: 'dual' });
  });

  test("a pod on the source's own node never makes the port dual", () => {
    const onSource = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' } });
    const wanted = desired(
      factsAt({ ...moment('target pod scheduled'), pods: [pod('source-running'), onSource] }),
      pinned,
    );
    expect(told(wanted)).toBe('3a pinned worker-a');
  });
});

describe('what cannot be told apart yet', () => {
  const { vmi: vmiFacts, migration: migrationFacts } = factsOf(moment('target pod scheduled'));
  const during = (change: object) => ({ vmi: vmiFacts, migration: { ...migrationFacts!, ...change } });

  test('a target on the node of the guest is none to be dual with, also where no switch was seen', () => {
    const target = { ...migrationFacts!.target!, node: 'worker-a' };
    expect(told(desired(during({ target, switched: false }), undefined))).toBe('3d pinned worker-a');
  });

  test('a guest that has switched to a pod that cannot be found stays where KubeVirt says it is', () => {
    expect(told(desired(during({ target: undefined, switched: true }), dual))).toBe('3d pinned worker-a');
  });

  test('a dual binding from another source, of the same migration, is pinned first', () => {
    const moved = { ...dual, source: 'worker-c' };
    expect(told(desired(during({}), moved))).toBe('3b pinned worker-a');
  });
});

describe('rule 3c: on its way out', () => {
  test.each([pinned, dual, undefined])(
    'a target pod that has ended leaves the port as it is until KubeVirt has decided',
    (record) => {
      const pods = [pod('source-running'), pod('target-03-running', { status: { phase: 'Failed' } })];
      expect(told(desired(factsOf({ ...moment('memory is copied'), pods }), record))).toBe('3c leave');
    },
  );

  // Read at different times: the VMI before its guest had switched, the pods when it had, and perhaps was gone already.
  test.each([
    ['ended', [pod('source-completed'), pod('target-03-running')]],
    ['ended, and the target pod is gone', [pod('source-completed')]],
    ['gone with the target pod', []],
  ])('where the source pod has %s, the port is not bound to where the guest no longer is', (_what, pods) => {
    const facts = factsOf({ ...moment('memory is copied'), pods });
    for (const record of [undefined, pinned, dual, { ...pinned, target: 'worker-b' }]) {
      expect(told(desired(facts, record))).toBe('3c leave');
    }
  });

  test('a migration deleted before it had a target leaves the port as it is', () => {
    const deleted = vmim('01-pending', { metadata: { deletionTimestamp: '2026-08-20T10:00:03Z' } });
    expect(told(desired(factsAt({ migrations: [deleted] }), pinned))).toBe('3c leave');
  });
});

describe('rule 3d: no target yet', () => {
  test('the port is pinned to where the guest is, never to what the previous migration says (kube-ovn #5523)', () => {
    const objects = { ...moment('VMIM created'), vmi: vmi('01b-pending-STALE-state-of-previous-migration') };
    expect(told(desired(factsOf(objects), undefined))).toBe('3d pinned worker-a');
  });

  test('a target pod that is replaced takes the dual binding back until the new one has a node', () => {
    const objects = moment('target pod created');
    expect(desired(factsOf(objects), dual)).toMatchObject({ rule: '3d', node: 'worker-a', record: pinned });
  });

  test('a VMI without a node is left alone', () => {
    const objects = { ...moment('VMIM created'), vmi: vmi('01-idle', { status: { nodeName: '' } }) };
    expect(desired(factsOf(objects), pinned)).toEqual({ rule: '3d', binding: 'leave' });
  });
});

describe('rule 4: after a migration', () => {
  test.each([
    ['failed before the hand-off', '01-idle', '09-failed-before-handoff-unschedulable', 'worker-a'],
    ['failed', '08-failed-back-on-source', '08-failed', 'worker-a'],
    ['aborted', '09-aborted', '08-failed', 'worker-a'],
    ['succeeded', '07-completed', '07a-succeeded-first-event', 'worker-b'],
    ['succeeded and collected', '07-completed', undefined, 'worker-b'],
  ])('that %s the port is pinned to where the guest runs', (_how, vmiName, vmimName, node) => {
    const facts = factsAt({ vmi: vmi(vmiName), migrations: vmimName ? [vmim(vmimName)] : [] });
    for (const record of [pinned, dual]) {
      expect(desired(facts, record)).toMatchObject({
        rule: '4',
        step: 'disable-dual-chassis',
        node,
        record: { binding: 'pinned' },
      });
    }
  });

  test('its end shows in the row of a port that was not dual yet: a function that is late to arm it finds it changed', () => {
    const facts = factsAt({ migrations: [vmim('09-failed-before-handoff-unschedulable')] });
    const wanted = desired(facts, pinned);
    expect(wanted).toMatchObject({ rule: '4', node: 'worker-a', record: { ...pinned, target: 'worker-a' } });
  });

  test('the source pod that is collected long after changes nothing (kube-ovn #6665)', () => {
    const after = factsAt({ vmi: vmi('07-completed'), pods: [pod('target-05-active-after-migration')] });
    const record = { ...dual, binding: 'pinned' } as const;
    expect(desired(after, record)).toMatchObject({ rule: '4', node: 'worker-b', record });
  });

  test('a VMI without a node keeps its binding', () => {
    const facts = factsAt({ vmi: vmi('01-idle', { status: { nodeName: undefined } }) });
    expect(desired(facts, dual)).toMatchObject({ rule: '4', binding: 'leave' });
  });
});

describe('rule 5: nothing happened', () => {
  test.each(['07c-succeeded-finalizer-removed', '08-failed', '09-failed-before-handoff-unschedulable'])(
    'a replayed old VMIM starts nothing (kube-ovn #5009, #7419): %s',
    (name) => {
      expect(desired(factsAt({ migrations: [vmim(name)] }), undefined)).toMatchObject({ rule: '5', binding: 'leave' });
    },
  );

  test('an idle VM is left alone', () => {
    expect(desired(factsOf(IDLE), undefined)).toMatchObject({ rule: '5', binding: 'leave' });
  });
});
