import { describe, expect, test } from '@jest/globals';
import { factsOf } from '../../../handover/decision/facts.ts';
import type { Pod } from '../../../handover/decision/kubevirt.ts';
import {
  factsAt,
  IDLE,
  migration,
  moment,
  owner,
  pod,
  VMI_UID,
  VMIM_UID,
  vmi,
  vmim,
} from '../../../testkit/moments.ts';

const scheduled = pod('target-02-scheduled');
const running = { ...moment('target pod running') };

describe('a migration, moment by moment', () => {
  test.each([
    ['VMIM created', undefined, false],
    ['target pod created', { node: undefined, ended: false }, false],
    ['target pod unschedulable', { node: undefined, ended: false }, false],
    ['target pod scheduled', { node: 'worker-b', ended: false }, false],
    ['target pod running', { node: 'worker-b', ended: false }, false],
    ['hand-off', { node: 'worker-b', ended: false }, false],
    ['target ready', { node: 'worker-b', ended: false }, false],
    ['memory is copied', { node: 'worker-b', ended: false }, false],
    ['guest runs on the target', { node: 'worker-b', ended: false }, true],
    ['target pod annotated', { node: 'worker-b', ended: false }, true],
    ['node moved', { node: 'worker-b', ended: false }, true],
    ['completed', { node: 'worker-b', ended: false }, true],
  ])('%s', (name, target, switched) => {
    const facts = factsOf(moment(name));
    expect(facts.vmi).toMatchObject({ uid: VMI_UID, optedIn: true, final: false });
    expect(facts.migration).toMatchObject({ uid: VMIM_UID, deleting: false, switched });
    const found = facts.migration?.target;
    expect(found && { node: found.node, ended: found.ended }).toEqual(target);
  });

  test('once the VMIM is final no migration runs, whatever its pods still say', () => {
    expect(factsOf(moment('succeeded'))).toMatchObject({ vmi: { node: 'worker-b' }, migration: undefined });
  });

  test('the source pod is the launcher on the node of the VMI, until the guest has moved', () => {
    for (const objects of migration().filter(
      ({ moment }) => !['node moved', 'completed', 'succeeded'].includes(moment),
    )) {
      expect(factsOf(objects).migration?.sourcePod?.metadata.name).toBe('virt-launcher-web-01-tfm2j');
    }
  });

  test('the source pod is none that only has the labels, or has ended, or runs elsewhere, or is the target', () => {
    const later = { creationTimestamp: '2026-08-21T00:00:00Z' };
    const sourceOf = (...pods: Pod[]) => factsAt({ ...running, pods }).migration?.sourcePod?.metadata.uid;
    const source = pod('source-running');
    const { metadata, spec } = source;
    const other = (change: object, more: object = {}) =>
      pod('source-running', { metadata: { ...later, uid: 'other', ...change }, ...more });
    expect(sourceOf(other({ ownerReferences: [owner({ uid: 'another' })] }), source)).toBe(metadata.uid);
    expect(sourceOf(other({}, { status: { phase: 'Succeeded' } }), source)).toBe(metadata.uid);
    expect(sourceOf(other({}, { spec: { ...spec, nodeName: 'worker-c' } }), source)).toBe(metadata.uid);
    expect(sourceOf(source, other({}))).toBe('other');
    expect(sourceOf(other({}), source)).toBe('other');
    const target = pod('target-02-scheduled', { spec: { ...scheduled.spec, nodeName: spec.nodeName } });
    expect(sourceOf(target)).toBeUndefined();
  });

  test('memory is being copied while the VMIM is Running, and in no other phase of it', () => {
    const copying = migration().filter((objects) => factsOf(objects).migration?.copying);
    expect(copying.map(({ moment }) => moment)).toEqual(
      migration()
        .filter(({ migrations }) => migrations[0]?.status?.phase === 'Running')
        .map(({ moment }) => moment),
    );
    expect(copying.map(({ moment }) => moment)).toContain('memory is copied');
    expect(copying.map(({ moment }) => moment)).not.toContain('target ready');
  });

  test('memory is being copied from the start that the VMI tells of this migration, whatever the phase of the VMIM', () => {
    const copyingIn = (migrationState: object) =>
      factsAt({ ...running, vmi: vmi('02-handoff', { status: { migrationState } }) }).migration?.copying;
    const startTimestamp = '2026-08-20T10:00:11Z';
    expect(copyingIn({ migrationUid: VMIM_UID, startTimestamp })).toBe(true);
    expect(copyingIn({ migrationUid: 'the previous one', startTimestamp })).toBe(false);
    expect(copyingIn({ migrationUid: VMIM_UID })).toBe(false);
  });

  test('an evacuation is a migration like any other', () => {
    const facts = factsAt({ ...running, migrations: [vmim('11-evacuation-running')] });
    expect(facts.migration?.target?.node).toBe('worker-b');
  });
});

describe('the switch signal', () => {
  test('a migrationState of the previous migration does not switch this one (kube-ovn #5523)', () => {
    const facts = factsAt({ ...running, vmi: vmi('01b-pending-STALE-state-of-previous-migration') });
    expect(facts.migration?.switched).toBe(false);
  });

  test('any one of the three signals is enough', () => {
    const annotated = { ...moment('memory is copied'), pods: [pod('source-running'), pod('target-04-domain-ready')] };
    const stated = moment('guest runs on the target');
    const moved = { ...running, vmi: vmi('01-idle', { status: { nodeName: 'worker-b' } }) };
    for (const objects of [annotated, stated, moved]) expect(factsOf(objects).migration?.switched).toBe(true);
  });

  test('the node of the VMI is none while another launcher pod lives there: the target is on the source’s own node', () => {
    const beside = pod('target-03-running', { spec: { ...scheduled.spec, nodeName: 'worker-a' } });
    const factsWith = (...pods: Pod[]) => factsAt({ ...running, pods }).migration;
    expect(factsWith(pod('source-running'), beside)).toMatchObject({
      switched: false,
      target: { isOnSourceNode: true, node: 'worker-a' },
    });
    expect(factsWith(pod('source-completed'), beside)).toMatchObject({
      switched: true,
      target: { isOnSourceNode: false },
    });
    expect(factsWith(pod('source-running'), scheduled)).toMatchObject({
      switched: false,
      target: { isOnSourceNode: false },
    });
  });

  test('a target without a node is on no node, also where the VMI has none', () => {
    const { metadata } = pod('source-running');
    const [source, target] = [
      pod('source-running', { spec: { nodeName: undefined } }),
      pod('target-01-created-unscheduled', { spec: { nodeName: '' } }),
    ];
    expect(metadata.name).not.toBe(target.metadata.name);
    const nodeless = vmi('01-idle', { status: { nodeName: undefined } });
    expect(factsAt({ ...running, vmi: nodeless, pods: [source, target] }).migration).toMatchObject({
      switched: false,
      target: { isOnSourceNode: false, node: undefined },
    });
  });

  test('a target pod without annotations gives none', () => {
    const bare = pod('target-03-running', { metadata: { annotations: undefined } });
    expect(factsAt({ ...running, pods: [pod('source-running'), bare] }).migration?.switched).toBe(false);
  });

  test("the label kubevirt.io/nodeName of the target pod, a copy of the source's, is no node of it", () => {
    const { metadata, spec } = factsAt(running).migration!.target!.pod;
    expect(metadata.labels?.['kubevirt.io/nodeName']).toBe('worker-a');
    expect(spec.nodeName).toBe('worker-b');
    expect(factsAt(running).migration?.target?.node).toBe('worker-b');
  });

  test('the ready annotation of the previous target, now the source, does not switch the way back (kube-ovn #6220)', () => {
    const nowSource = pod('target-05-active-after-migration');
    const back = vmim('01-pending', {
      metadata: { uid: 'way-back', name: 'back', creationTimestamp: '2026-08-20T11:00:00Z' },
    });
    const newTarget = pod('target-03-running', {
      metadata: {
        uid: 'p-3',
        name: 'virt-launcher-web-01-zzzzz',
        creationTimestamp: '2026-08-20T11:00:01Z',
        labels: { ...scheduled.metadata.labels, 'kubevirt.io/migrationJobUID': 'way-back' },
      },
      spec: { nodeName: 'worker-a' },
    });
    const objects = {
      vmi: vmi('07-completed'),
      migrations: [vmim('07c-succeeded-finalizer-removed'), back],
      pods: [nowSource, pod('source-completed')],
    };
    expect(factsOf(objects).migration).toMatchObject({ uid: 'way-back', target: undefined, switched: false });

    const { migration } = factsOf({ ...objects, pods: [...objects.pods, newTarget] });
    expect(migration).toMatchObject({ switched: false, target: { node: 'worker-a' } });
    expect(migration?.sourcePod?.metadata.uid).toBe(nowSource.metadata.uid);
  });
});

describe('whose target pod it is', () => {
  test.each([
    ['of a VMI with another uid and the same name', { ownerReferences: [owner({ uid: 'earlier' })] }],
    ['that no VMI owns, whatever its labels say', { ownerReferences: [] }],
    ['without any ownerReferences', { ownerReferences: undefined }],
    ['that the VMI owns but does not control', { ownerReferences: [owner({ controller: false })] }],
    [
      "controlled by another kind with the VMI's uid",
      { ownerReferences: [owner({ kind: 'ReplicaSet', apiVersion: 'apps/v1' })] },
    ],
    [
      'controlled by a look-alike API group',
      { ownerReferences: [owner({ apiVersion: 'kubevirt.io.example.com/v1' })] },
    ],
    ['of another migration', { labels: { ...scheduled.metadata.labels, 'kubevirt.io/migrationJobUID': 'other' } }],
    ['that only has the label created-by', { labels: { 'kubevirt.io/created-by': VMI_UID } }],
    ['in another namespace', { namespace: 'elsewhere' }],
  ])('a pod %s is no target', (_what, metadata) => {
    const forged = pod('target-02-scheduled', { metadata });
    expect(factsAt({ ...running, pods: [pod('source-running'), forged] }).migration?.target).toBeUndefined();
  });

  test("a hotplug attachment pod that carries the migration's label is no target (kube-ovn #7416)", () => {
    const attachment = pod('hotplug-attachment-EXCLUDE');
    const facts = factsAt({ ...running, migrations: [vmim('01-pending')], pods: [pod('source-running'), attachment] });
    expect(facts.migration?.target).toBeUndefined();
  });

  test('with hotplug volumes the target counts while the VMIM is still Pending (kube-ovn #7416)', () => {
    const pods = [pod('source-running'), pod('hotplug-attachment-EXCLUDE'), pod('target-03-running')];
    const facts = factsAt({ migrations: [vmim('01-pending')], pods });
    expect(facts.migration?.target).toMatchObject({
      node: 'worker-b',
      pod: { metadata: { uid: scheduled.metadata.uid } },
    });
  });

  test('a pod that lives is the target, and not a newer one of the same migration that has ended', () => {
    const ended = pod('target-02-scheduled', {
      metadata: { uid: 'ended', creationTimestamp: '2026-08-21T00:00:00Z' },
      status: { phase: 'Failed' },
    });
    const { target } = factsAt({ ...running, pods: [ended, scheduled] }).migration!;
    expect(target).toMatchObject({ ended: false, pod: { metadata: { uid: scheduled.metadata.uid } } });
  });

  test('a pod without labels, or of a VMI that controls it by another kind, is no target', () => {
    const bare = pod('target-02-scheduled', { metadata: { labels: undefined } });
    const set = pod('target-02-scheduled', {
      metadata: { ownerReferences: [owner({ kind: 'VirtualMachineInstanceReplicaSet' })] },
    });
    expect(factsAt({ ...running, pods: [bare, set] }).migration?.target).toBeUndefined();
  });

  test('a pod that replaces an unschedulable one within the same migration is the target', () => {
    const replaced = pod('target-01b-unschedulable', { metadata: { deletionTimestamp: '2026-08-20T10:05:00Z' } });
    const replacement = pod('target-02-scheduled', {
      metadata: { uid: 'p-2', name: 'virt-launcher-web-01-aaaaa', creationTimestamp: '2026-08-20T10:05:01Z' },
    });
    for (const pods of [
      [replaced, replacement],
      [replacement, replaced],
    ]) {
      const facts = factsAt({ migrations: [vmim('01-pending')], pods });
      expect(facts.migration?.target).toMatchObject({ ended: false, pod: { metadata: { uid: 'p-2' } } });
    }
  });

  test.each([
    ['failed', { status: { phase: 'Failed' } }],
    ['succeeded', { status: { phase: 'Succeeded' } }],
    ['is being deleted', { metadata: { deletionTimestamp: '2026-08-20T10:05:00Z' } }],
  ])('a target pod that %s has ended', (_how, change) => {
    const facts = factsAt({ ...running, pods: [pod('source-running'), pod('target-03-running', change)] });
    expect(facts.migration?.target?.ended).toBe(true);
  });
});

describe('which migration counts', () => {
  test('a replayed final VMIM does not stand in for the newer unfinished one (kube-ovn #7419)', () => {
    const newer = vmim('02-scheduling', {
      metadata: { uid: 'newer', name: 'a', creationTimestamp: '2026-08-20T11:00:00Z' },
    });
    for (const migrations of [
      [vmim('08-failed'), newer],
      [newer, vmim('08-failed')],
    ]) {
      expect(factsAt({ migrations }).migration?.uid).toBe('newer');
    }
  });

  test('of two unfinished ones the newest counts, in whatever order they come', () => {
    const older = vmim('06-running');
    const newer = vmim('01-pending', { metadata: { uid: 'newer', creationTimestamp: '2026-08-20T10:30:00Z' } });
    expect(factsAt({ migrations: [older, newer] }).migration?.uid).toBe('newer');
    expect(factsAt({ migrations: [newer, older] }).migration?.uid).toBe('newer');
  });

  test('of two unfinished ones the one with a target pod counts, for the newer one only waits for its turn', () => {
    const newer = vmim('01-pending', { metadata: { uid: 'newer', creationTimestamp: '2026-08-20T10:30:00Z' } });
    const inFlight = vmim('06-running');
    const target = pod('target-03-running');
    for (const migrations of [
      [inFlight, newer],
      [newer, inFlight],
    ]) {
      expect(factsAt({ migrations, pods: [target] }).migration?.uid).toBe(inFlight.metadata.uid);
    }
  });

  test('creation times count by time, not by text, and may be Dates', () => {
    const older = vmim('06-running', { metadata: { creationTimestamp: '2026-08-20T12:30:00+02:00' } });
    const newer = vmim('01-pending', {
      metadata: { uid: 'newer', creationTimestamp: new Date('2026-08-20T11:00:00Z') },
    });
    expect(factsAt({ migrations: [older, newer] }).migration?.uid).toBe('newer');
  });

  test.each(['20-decentralized-source-synchronizing', '21-decentralized-target-waitingforsync'])(
    'the half of a decentralized migration is none of ours: %s',
    (name) => {
      expect(factsAt({ migrations: [vmim(name)] }).migration).toBeUndefined();
    },
  );

  test("a migration of another VMI is not this one's, whatever its label says", () => {
    const other = vmim('06-running', { spec: { vmiName: 'web-02' } });
    expect(factsAt({ migrations: [other] }).migration).toBeUndefined();
  });

  test.each(['08-failed', '09-failed-before-handoff-unschedulable', '07a-succeeded-first-event'])(
    'a final VMIM is no running migration: %s',
    (name) => {
      expect(factsAt({ migrations: [vmim(name)] }).migration).toBeUndefined();
    },
  );

  test('a VMIM under deletion still runs', () => {
    expect(factsAt({ ...running, migrations: [vmim('10-aborting-running')] }).migration?.deleting).toBe(true);
  });

  test('a VMIM that KubeVirt has not looked at yet, without status, runs', () => {
    const fresh = { ...vmim('01-pending'), status: undefined } as unknown as ReturnType<typeof vmim>;
    expect(factsAt({ migrations: [fresh] }).migration?.uid).toBe(VMIM_UID);
  });
});

describe('the VMI', () => {
  test('one that is gone leaves no facts, whatever VMIMs and pods are left', () => {
    const none = { vmi: undefined, migration: undefined, strays: [], switches: [] };
    expect(factsOf({ ...running, vmi: undefined })).toEqual(none);
  });

  test('the annotation counts by its presence, not by its value', () => {
    const annotations = (value: object) => factsAt({ vmi: vmi('01-idle', { metadata: { annotations: value } }) }).vmi;
    const key = 'kubevirt.io/allow-pod-bridge-network-live-migration';
    expect(annotations({ [key]: '' })?.optedIn).toBe(true);
    expect(annotations({ [key]: 'false' })?.optedIn).toBe(true);
    expect(annotations({})?.optedIn).toBe(false);
  });

  test.each(['Succeeded', 'Failed'])('is final in phase %s', (phase) => {
    expect(factsAt({ vmi: vmi('01-idle', { status: { phase } }) }).vmi?.final).toBe(true);
  });

  test('without annotations is not opted in', () => {
    expect(factsAt({ vmi: vmi('01-idle', { metadata: { annotations: undefined } }) }).vmi?.optedIn).toBe(false);
  });

  test('without status has no source and has not switched, though a migration runs', () => {
    const { metadata } = vmi('01-idle');
    expect(factsAt({ ...running, vmi: { metadata } }).migration).toMatchObject({
      sourcePod: undefined,
      switched: false,
    });
  });

  test('without status or with an empty node has no node', () => {
    expect(factsAt({ vmi: vmi('01-idle', { status: { nodeName: '' } }) }).vmi?.node).toBeUndefined();
    const { metadata } = IDLE.vmi!;
    expect(factsAt({ vmi: { metadata } }).vmi).toMatchObject({ node: undefined, final: false });
  });

  test.each(['08-failed-back-on-source', '09-aborted'])('still runs on its source after %s', (name) => {
    expect(factsAt({ vmi: vmi(name), migrations: [vmim('08-failed')] }).vmi?.node).toBe('worker-a');
  });
});

describe('the switches of a VM', () => {
  const switches = (name: string) => factsOf(moment(name)).switches;
  const known = [{ migration: VMIM_UID, second: Date.parse('2026-08-20T10:00:19Z') }];

  test('are told by the VMI and by the target pod, and as long as that lives', () => {
    expect(switches('memory is copied')).toEqual([]);
    expect(switches('guest runs on the target')).toEqual(known);
    expect(switches('target pod annotated')).toEqual(known);
    expect(switches('succeeded')).toEqual(known);
    const target = pod('target-05-active-after-migration');
    expect(factsAt({ pods: [pod('source-running'), target] }).switches).toEqual(known);
  });

  test('are of one second each, and of all migrations that anybody still tells of', () => {
    const ready = (uid: string | undefined, time: string | undefined) =>
      pod('target-05-active-after-migration', {
        metadata: {
          uid: `pod of ${uid}`,
          labels: { 'kubevirt.io/migrationJobUID': uid },
          annotations: { 'kubevirt.io/migration-target-ready-timestamp': time },
        },
      });
    const pods = [
      ready('before', '2026-08-20 09:00:19.75 +0000 UTC'),
      ready('unknown', undefined),
      ready('garbled', 'soon'),
      ready(undefined, '2026-08-20 09:00:19 +0000 UTC'),
      pod('target-05-active-after-migration', { metadata: { labels: undefined, annotations: undefined } }),
    ];
    expect(factsAt({ pods }).switches).toEqual([{ migration: 'before', second: Date.parse('2026-08-20T09:00:19Z') }]);
  });

  test('are none of a VMI without a status', () => {
    const { metadata } = IDLE.vmi!;
    expect(factsAt({ vmi: { metadata } }).switches).toEqual([]);
  });
});
