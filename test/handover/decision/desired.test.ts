import { describe, expect, test } from '@jest/globals';
import {
  type Desired,
  desired,
  type FunctionName,
  isPartOf,
  RULES,
  sourceOnly,
} from '../../../handover/decision/desired.ts';
import type { Facts } from '../../../handover/decision/facts.ts';
import type { PortRecord } from '../../../handover/decision/record.ts';
import { factsAt, IDLE, migration, moment, NOW, pod, VMI_UID, VMIM_UID, vmi, vmim } from '../../../testkit/moments.ts';
import { DUAL as dual, PINNED as pinned } from '../support/ports.ts';

const handedOver: PortRecord = { ...dual, binding: 'pinned' };
const earlier: PortRecord = { ...pinned, vmi: 'an-earlier-vmi', migration: 'an-earlier-migration' };
const notOptedIn = vmi('01-idle', { metadata: { annotations: {} } });

/** What a port's record becomes when the functions see each moment once, in order. */
function follow(moments: readonly Parameters<typeof factsAt>[0][], start?: PortRecord) {
  let record = start;
  return moments.map((objects) => {
    const wanted = desired(factsAt(objects), record);
    if (wanted.binding !== 'leave') record = wanted.binding === 'unbound' ? undefined : wanted.record;
    return wanted;
  });
}

/** `3b dual worker-a,worker-b armed`, as the table of the rules has it. */
function told(wanted: Desired): string {
  if (wanted.binding === 'pinned') return `${wanted.rule} pinned ${wanted.node}`;
  if (wanted.binding === 'dual') {
    return `${wanted.rule} dual ${wanted.source},${wanted.target} ${wanted.isArmed ? 'armed' : 'open'}`;
  }
  return `${wanted.rule} ${wanted.binding}`;
}

test('a migration that succeeds goes pinned, dual, pinned', () => {
  const story = migration().map(({ moment }, index) => [moment, told(follow(migration())[index]!)]);
  expect(story).toEqual([
    ['VMIM created', '3d pinned worker-a'],
    ['target pod created', '3d pinned worker-a'],
    ['target pod unschedulable', '3d pinned worker-a'],
    ['target pod scheduled', '3b dual worker-a,worker-b armed'],
    ['target pod running', '3b dual worker-a,worker-b armed'],
    ['hand-off', '3b dual worker-a,worker-b armed'],
    ['target ready', '3b dual worker-a,worker-b armed'],
    ['memory is copied', '3b dual worker-a,worker-b open'],
    ['guest runs on the target', '3a pinned worker-b'],
    ['target pod annotated', '3a pinned worker-b'],
    ['node moved', '3a pinned worker-b'],
    ['completed', '3a pinned worker-b'],
    ['succeeded', '4 pinned worker-b'],
  ]);
});

test('a migration leaves nothing on the port once its source pod has ended for more than a minute', () => {
  const { pods, ...rest } = moment('succeeded');
  // The source pod ended at 10:00:22.
  const after = (time: string) => told(desired(factsAt({ ...rest, pods }, Date.parse(time)), handedOver));
  expect(after('2026-08-20T10:01:22.000Z')).toBe('4 pinned worker-b');
  expect(after('2026-08-20T10:01:22.001Z')).toBe('2b unbound');
  const gone = factsAt({ ...rest, pods: [pod('target-05-active-after-migration')] });
  expect(told(desired(gone, handedOver))).toBe('2b unbound');
  expect(told(desired(gone, undefined))).toBe('5 leave');
});

describe('whose step a binding is', () => {
  const functions: readonly FunctionName[] = [
    'reuse-port',
    'enable-dual-chassis',
    'disable-dual-chassis',
    'release-port',
    'reconcile',
  ];
  const makers = (wanted: Desired) =>
    wanted.binding === 'leave' ? [] : functions.filter((name) => isPartOf(name, wanted));

  test('during a migration it is that of one function, and of reconcile', () => {
    const steps = follow(migration().filter(({ moment }) => moment !== 'succeeded')).map(makers);
    expect(new Set(steps.map(String))).toEqual(
      new Set(['reuse-port,reconcile', 'enable-dual-chassis,reconcile', 'disable-dual-chassis,reconcile']),
    );
  });

  test('with no migration any function makes what is left: the events of the end may all have been', () => {
    const ended = factsAt(moment('succeeded'));
    const settled = factsAt(moment('succeeded'), NOW + 3_600_000);
    const gone = factsAt({ vmi: undefined });
    expect([ended, settled, gone].map((facts) => told(desired(facts, handedOver)))).toEqual([
      '4 pinned worker-b',
      '2b unbound',
      '2 unbound',
    ]);
    for (const facts of [ended, settled, gone]) expect(makers(desired(facts, handedOver))).toEqual(functions);
  });
});

test('in place of a dual binding the port goes by its source alone, and its record says that', () => {
  const wanted = desired(factsAt(moment('target pod scheduled')), pinned);
  if (wanted.binding !== 'dual') throw new Error(wanted.binding);
  expect(sourceOnly(wanted)).toEqual({
    rule: '3b',
    step: 'enable-dual-chassis',
    isAnyones: false,
    binding: 'pinned',
    node: 'worker-a',
    record: pinned,
  });
});

test('every rule says why it matches', () => {
  expect(Object.keys(RULES).sort()).toEqual(['1', '2', '2b', '3a', '3b', '3c', '3d', '4', '5']);
  expect(new Set(Object.values(RULES)).size).toBe(9);
  for (const why of Object.values(RULES)) expect(why).toMatch(/^\w.{10,}/);
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
      expect(desired(factsAt(silent), undefined)).toEqual({ rule: '1', binding: 'leave', isManaged: false });
    },
  );

  test('and whose VMI is gone is left alone', () => {
    expect(desired(factsAt({ vmi: undefined }), undefined)).toEqual({ rule: '1', binding: 'leave', isManaged: false });
  });

  test.each(['Failed', 'Succeeded'])('and one that is %s, of which no port has a record, is left alone', (phase) => {
    const final = factsAt({ vmi: vmi('01-idle', { status: { phase } }) });
    expect(desired(final, undefined)).toEqual({ rule: '1', binding: 'leave', isManaged: false });
  });

  test('but one that opted out while its port has our record is brought to an end', () => {
    const during = { ...moment('target pod scheduled'), vmi: notOptedIn };
    expect(told(desired(factsAt(during), pinned))).toBe('3b dual worker-a,worker-b armed');
    expect(told(desired(factsAt({ vmi: notOptedIn }), dual))).toBe('2b unbound');
  });

  test('but one that opted out while another of its ports has our record is handed over with all of them', () => {
    const during = { ...moment('target pod scheduled'), vmi: notOptedIn };
    expect(told(desired(factsAt(during), undefined, true))).toBe('3b dual worker-a,worker-b armed');
    expect(told(desired(factsAt({ vmi: notOptedIn }), undefined, true))).toBe('5 leave');
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
      expect(desired(factsAt(objects), record)).toEqual({
        rule: '2',
        step: 'release-port',
        isAnyones: true,
        binding: 'unbound',
      });
    }
  });

  test('and started again under the same name has it released, not pinned to the node of before', () => {
    for (const pods of [[pod('source-running')], [pod('source-running'), pod('target-03-running')]]) {
      expect(told(desired(factsAt({ pods }), earlier))).toBe('2 unbound');
    }
    const nodeless = factsAt({ vmi: vmi('01-idle', { status: { nodeName: '' } }) });
    expect(told(desired(nodeless, earlier))).toBe('2 unbound');
  });

  test('but once a migration of the new VMI runs, its record takes the place of the old one', () => {
    expect(desired(factsAt(moment('VMIM created')), earlier)).toMatchObject({
      rule: '3d',
      node: 'worker-a',
      record: { vmi: VMI_UID, migration: VMIM_UID, source: 'worker-a' },
    });
  });
});

describe('rule 2b: the guest’s is the only pod left', () => {
  const target = pod('target-05-active-after-migration');
  const { metadata, spec } = pod('source-completed');
  const over = { ...moment('succeeded'), migrations: [] };
  const wanted = (...pods: Parameters<typeof factsAt>[0]['pods'] & object) =>
    told(desired(factsAt({ ...over, pods }), handedOver));

  test('the port is released: at rest it carries nothing of ours', () => {
    expect(desired(factsAt({ ...over, pods: [target] }), handedOver)).toEqual({
      rule: '2b',
      step: 'release-port',
      isAnyones: true,
      binding: 'unbound',
    });
  });

  test('from both chassis it goes to the target’s first, which has to claim it while somebody can see that', () => {
    expect(told(desired(factsAt({ ...over, pods: [target] }), dual))).toBe('4 pinned worker-b');
  });

  test('from a chassis that the guest has left it goes to the guest’s first, as the VM’s other ports may', () => {
    expect(told(desired(factsAt({ ...over, pods: [target] }), pinned))).toBe('4 pinned worker-b');
    expect(told(desired(factsAt({ ...over, pods: [target] }), { ...pinned, target: 'worker-b' }))).toBe('2b unbound');
  });

  test('after a migration that failed it is released at once: the source’s chassis never let it go', () => {
    const failed = { vmi: vmi('08-failed-back-on-source'), migrations: [vmim('08-failed')] };
    expect(told(desired(factsAt(failed), dual))).toBe('2b unbound');
  });

  test('while another pod may still be plugged in, it is not', () => {
    const stranger = pod('source-running', { metadata: { ...metadata, uid: 'stranger' }, spec });
    expect(wanted(target, stranger)).toBe('4 pinned worker-b');
    const dying = pod('source-running', { metadata: { deletionTimestamp: '2026-08-20T09:00:00Z' } });
    expect(wanted(target, dying)).toBe('4 pinned worker-b');
  });

  test('while a migration runs it does not match', () => {
    expect(told(desired(factsAt({ ...IDLE, migrations: [vmim('01-pending')] }), pinned))).toBe('3d pinned worker-a');
  });

  test('without a record of ours there is nothing to release', () => {
    expect(told(desired(factsAt({ ...over, pods: [target] }), undefined))).toBe('5 leave');
  });
});

describe('rule 3a: after the switch', () => {
  test('a late event does not arm the target that the guest runs on (kube-ovn #5955)', () => {
    for (const name of ['guest runs on the target', 'target pod annotated', 'node moved', 'completed']) {
      for (const record of [undefined, pinned, dual, earlier]) {
        expect(told(desired(factsAt(moment(name)), record))).toBe('3a pinned worker-b');
      }
    }
  });

  test('keeps the source of this migration in the record, and of no other', () => {
    const sourceIn = (record: PortRecord | undefined, name = 'guest runs on the target') => {
      const wanted = desired(factsAt(moment(name)), record);
      return 'record' in wanted && wanted.record;
    };
    const after = { ...pinned, target: 'worker-b' };
    expect(sourceIn({ ...dual, source: 'worker-c' })).toEqual({ ...after, source: 'worker-c' });
    expect(sourceIn({ ...dual, source: 'worker-c', migration: 'another' })).toEqual(after);
    expect(sourceIn({ ...dual, source: 'worker-c', vmi: 'another' })).toEqual(after);
    expect(sourceIn(undefined)).toEqual(after);
    // All that is known by then is the guest's node, and without one the target's.
    expect(sourceIn(undefined, 'node moved')).toEqual({ ...after, source: 'worker-b' });
    const nodeless = { ...moment('target pod annotated'), vmi: vmi('04-running', { status: { nodeName: '' } }) };
    expect(desired(factsAt(nodeless), undefined)).toMatchObject({ record: { source: 'worker-b' } });
  });

  test('holds also when the VMIM is being deleted: a deletion can lose the race', () => {
    const objects = { ...moment('guest runs on the target'), migrations: [vmim('10-aborting-running')] };
    expect(told(desired(factsAt(objects), dual))).toBe('3a pinned worker-b');
  });

  test('holds also when the target pod has ended since', () => {
    const pods = [pod('source-completed'), pod('target-04-domain-ready', { status: { phase: 'Failed' } })];
    expect(told(desired(factsAt({ ...moment('node moved'), pods }), dual))).toBe('3a pinned worker-b');
  });
});

describe('rule 3b: both chassis', () => {
  test('a target that is deleted before memory is copied is not bound anew', () => {
    const deleted = { metadata: { deletionTimestamp: '2026-08-20T10:00:03Z' } };
    const objects = { ...moment('target pod running'), migrations: [vmim('05-targetready', deleted)] };
    expect(told(desired(factsAt(objects), undefined))).toBe('3c leave');
    expect(told(desired(factsAt(objects), pinned))).toBe('3d pinned worker-a');
    expect(told(desired(factsAt(objects), { ...dual, migration: 'another' }))).toBe('3d pinned worker-a');
    expect(told(desired(factsAt(objects), { ...dual, target: 'worker-c' }))).toBe('3c leave');
    expect(told(desired(factsAt(objects), dual))).toBe('3b dual worker-a,worker-b armed');
  });

  test('but stays bound while the migration that is being deleted may still succeed', () => {
    const objects = { ...moment('memory is copied'), migrations: [vmim('10-aborting-running')] };
    expect(told(desired(factsAt(objects), dual))).toBe('3b dual worker-a,worker-b open');
    // Others may have taken off what says so.
    expect(told(desired(factsAt(objects), undefined))).toBe('3b dual worker-a,worker-b open');
    expect(told(desired(factsAt(objects), { ...dual, binding: 'pinned' }))).toBe('3b dual worker-a,worker-b open');
  });

  test('is called for whatever record stands on the port: what is to be pinned on the way shows in the row alone', () => {
    const facts = factsAt(moment('target pod scheduled'));
    for (const record of [undefined, pinned, earlier, { ...dual, migration: 'another', target: 'worker-c' }]) {
      expect(desired(facts, record)).toEqual({
        rule: '3b',
        step: 'enable-dual-chassis',
        isAnyones: false,
        binding: 'dual',
        source: 'worker-a',
        target: 'worker-b',
        isArmed: true,
        record: dual,
      });
    }
  });

  test('is armed until memory is copied, and open from then on: QEMU may have announced the guest already', () => {
    const { migrations, pods } = moment('target pod running');
    const copying = vmi('02-handoff', {
      status: { migrationState: { migrationUid: VMIM_UID, startTimestamp: '2026-08-20T10:00:11Z' } },
    });
    const { nodeName } = vmi('02-handoff').status!;
    const told3b = (objects: object) => told(desired(factsAt({ migrations, pods, ...objects }), pinned));
    expect(told3b({ vmi: vmi('02-handoff') })).toBe('3b dual worker-a,worker-b armed');
    expect(told3b({ vmi: { ...copying, status: { ...copying.status, nodeName } } })).toBe(
      '3b dual worker-a,worker-b open',
    );
    expect(told3b({ migrations: [vmim('06-running')] })).toBe('3b dual worker-a,worker-b open');
  });

  test("a pod on the source's own node never makes the port dual", () => {
    const onSource = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' } });
    const wanted = desired(
      factsAt({ ...moment('target pod scheduled'), pods: [pod('source-running'), onSource] }),
      pinned,
    );
    expect(told(wanted)).toBe('3d pinned worker-a');
  });
});

describe('what cannot be told apart yet', () => {
  const { migration: migrationFacts, ...rest } = factsAt(moment('target pod scheduled'));
  const during = (change: object): Facts => ({ ...rest, migration: { ...migrationFacts!, ...change } });

  test('a target on the node of the guest is none to be dual with, also where no switch was seen', () => {
    const target = { ...migrationFacts!.target!, node: 'worker-a' };
    expect(told(desired(during({ target, switched: false }), undefined))).toBe('3d pinned worker-a');
  });

  test('a guest that has switched to a pod that cannot be found stays where KubeVirt says it is', () => {
    expect(told(desired(during({ target: undefined, switched: true }), dual))).toBe('3d pinned worker-a');
  });
});

describe('rule 3c: on its way out', () => {
  const ended = factsAt({
    ...moment('memory is copied'),
    pods: [pod('source-running'), pod('target-03-running', { status: { phase: 'Failed' } })],
  });

  test.each([dual, undefined, { ...pinned, target: 'worker-b' }, { ...pinned, vmi: 'an earlier one' }])(
    'a target pod that has ended leaves the port as it is until KubeVirt has decided',
    (record) => {
      expect(told(desired(ended, record))).toBe('3c leave');
    },
  );

  test('but a port that is pinned to the source stays so, whoever else binds it meanwhile', () => {
    expect(told(desired(ended, pinned))).toBe('3d pinned worker-a');
    expect(told(desired(ended, { ...pinned, source: 'worker-c' }))).toBe('3c leave');
  });

  test('and so is one whose record Kube-OVN has put back as it was for an earlier migration, perhaps without its binding', () => {
    expect(told(desired(ended, { ...pinned, migration: 'another' }))).toBe('3d pinned worker-a');
    expect(told(desired(ended, { ...dual, migration: 'another' }))).toBe('3d pinned worker-a');
  });

  // Read at different times: the VMI before its guest had switched, the pods when it had, and perhaps was gone already.
  test.each([
    ['ended', [pod('source-completed'), pod('target-03-running')]],
    ['ended, and the target pod is gone', [pod('source-completed')]],
    ['gone with the target pod', []],
  ])('where the source pod has %s, the port is not bound to where the guest no longer is', (_what, pods) => {
    const facts = factsAt({ ...moment('memory is copied'), pods });
    for (const record of [undefined, pinned, dual, { ...pinned, target: 'worker-b' }]) {
      expect(told(desired(facts, record))).toBe('3c leave');
    }
  });

  test('a migration deleted before it had a target leaves the port as it is', () => {
    const deleted = vmim('01-pending', { metadata: { deletionTimestamp: '2026-08-20T10:00:03Z' } });
    expect(told(desired(factsAt({ migrations: [deleted] }), undefined))).toBe('3c leave');
    expect(told(desired(factsAt({ migrations: [deleted] }), pinned))).toBe('3d pinned worker-a');
  });
});

describe('rule 3d: no target yet', () => {
  test('the port is pinned to where the guest is, never to what the previous migration says (kube-ovn #5523)', () => {
    const objects = { ...moment('VMIM created'), vmi: vmi('01b-pending-STALE-state-of-previous-migration') };
    expect(told(desired(factsAt(objects), undefined))).toBe('3d pinned worker-a');
  });

  test('a target pod that is replaced takes the dual binding back until the new one has a node', () => {
    const objects = moment('target pod created');
    expect(desired(factsAt(objects), dual)).toMatchObject({ rule: '3d', node: 'worker-a', record: pinned });
  });

  test('a VMI without a node is left alone', () => {
    const objects = { ...moment('VMIM created'), vmi: vmi('01-idle', { status: { nodeName: '' } }) };
    expect(desired(factsAt(objects), pinned)).toEqual({ rule: '3d', binding: 'leave', isManaged: true });
  });
});

describe('rule 4: after a migration', () => {
  const plugged = pod('target-03-running');
  test.each([
    ['failed before the hand-off', '01-idle', '09-failed-before-handoff-unschedulable', 'worker-a'],
    ['failed', '08-failed-back-on-source', '08-failed', 'worker-a'],
    ['was aborted', '09-aborted', '08-failed', 'worker-a'],
    ['succeeded', '07-completed', '07a-succeeded-first-event', 'worker-b'],
    ['succeeded and was collected', '07-completed', undefined, 'worker-b'],
  ])(
    'that %s, while the other pod may be plugged in, the port is pinned to where the guest runs',
    (_how, vmiName, vmimName, node) => {
      const migrations = vmimName ? [vmim(vmimName)] : [];
      const facts = factsAt({ vmi: vmi(vmiName), migrations, pods: [pod('source-running'), plugged] });
      for (const record of [pinned, dual]) {
        expect(desired(facts, record)).toEqual({
          rule: '4',
          step: 'disable-dual-chassis',
          isAnyones: true,
          binding: 'pinned',
          node,
          record: { ...record, binding: 'pinned', target: node },
        });
      }
    },
  );

  test('the record of before is kept, and what was wanted stays wanted', () => {
    const facts = factsAt({ pods: [pod('source-running'), plugged] });
    const record = { ...dual, source: 'worker-c', migration: 'another' };
    const wanted = desired(facts, record);
    expect(wanted).toMatchObject({ rule: '4', record: { ...record, binding: 'pinned', target: 'worker-a' } });
    expect(desired(facts, 'record' in wanted ? wanted.record : undefined)).toEqual(wanted);
  });

  test('its end shows in the row of a port that was not dual yet: a function that is late to arm it finds it changed', () => {
    const facts = factsAt({ migrations: [vmim('08-failed')], pods: [pod('source-running'), plugged] });
    expect(desired(facts, pinned)).toMatchObject({ node: 'worker-a', record: { ...pinned, target: 'worker-a' } });
  });

  test('the source pod that is collected long after changes nothing (kube-ovn #6665)', () => {
    const after = factsAt({ vmi: vmi('07-completed'), pods: [pod('target-05-active-after-migration')] });
    expect(told(desired(after, undefined))).toBe('5 leave');
  });

  test('a VMI without a node keeps its binding', () => {
    for (const pods of [[], [plugged]]) {
      const facts = factsAt({ vmi: vmi('01-idle', { status: { nodeName: undefined } }), pods });
      expect(desired(facts, dual)).toEqual({ rule: '4', binding: 'leave', isManaged: true });
    }
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
    expect(desired(factsAt(IDLE), undefined)).toEqual({ rule: '5', binding: 'leave', isManaged: true });
  });
});
