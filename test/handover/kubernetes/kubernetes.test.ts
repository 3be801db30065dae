import { beforeEach, describe, expect, test } from '@jest/globals';
import { LookAgainError } from '../../../handover/decision/errors.ts';
import { DUAL_GATE, PORT_GATE, type Pod } from '../../../handover/decision/kubevirt.ts';
import type { EventObject } from '../../../handover/kubernetes/event.ts';
import { Kubernetes, type KubernetesApi, type PatchResult } from '../../../handover/kubernetes/kubernetes.ts';
import { pod, VMI, VMI_UID, VMIM_UID, vmi, vmim } from '../../../testkit/moments.ts';

/** What was asked, in order, and with what. */
let asked: [string, ...unknown[]][];
let patched: PatchResult;
/** What patches of VMIMs and events come to, one after the other; then they are made. */
let results: PatchResult[];
/** How the VMIM, or the event, is found when it is read again. */
let present: (ReturnType<typeof vmim> | EventObject)[];
let created: 'created' | 'AlreadyExists';
let instance: ReturnType<typeof vmi> | undefined;
let labelled: ReturnType<typeof vmim>[];
let unlabelled: ReturnType<typeof vmim>[];
let launchers: Pod[];
let pendingTargets: Pod[];

const api: KubernetesApi = {
  async listMigrations(of, options) {
    asked.push(['listMigrations', of, options]);
    return options.labelled ? labelled : [...labelled, ...unlabelled];
  },
  async listAllMigrations() {
    asked.push(['listAllMigrations']);
    return [...labelled, ...unlabelled];
  },
  async getVmi(of) {
    asked.push(['getVmi', of]);
    return instance;
  },
  async listLauncherPods(namespace, uid) {
    asked.push(['listLauncherPods', namespace, uid]);
    return launchers;
  },
  async listPendingTargets() {
    asked.push(['listPendingTargets']);
    return pendingTargets;
  },
  async patchPod(target, patch) {
    asked.push(['patchPod', target.metadata.name, patch]);
    return patched;
  },
  async getMigration(of) {
    asked.push(['getMigration', of.metadata.name]);
    return present.shift() as ReturnType<typeof vmim>;
  },
  async patchMigration(of, patch) {
    asked.push(['patchMigration', of.metadata.name, patch]);
    return results.shift() ?? 'patched';
  },
  async createEvent(event) {
    asked.push(['createEvent', event]);
    return created;
  },
  async getEvent(of) {
    asked.push(['getEvent', of.metadata.name]);
    return present.shift() as EventObject;
  },
  async patchEvent(of, patch) {
    asked.push(['patchEvent', of.metadata.name, patch]);
    return results.shift() ?? 'patched';
  },
};
const kubernetes = new Kubernetes(api);
const source = pod('source-running');
beforeEach(() => {
  asked = [];
  patched = 'patched';
  [results, present, created] = [[], [], 'created'];
  instance = vmi('01-idle');
  labelled = [vmim('06-running'), vmim('08-failed')];
  unlabelled = [];
  launchers = [source];
  pendingTargets = [];
});

describe('the objects of a VM', () => {
  test('are read in the one order that cannot mislead: migrations, VMI, pods', async () => {
    expect(await kubernetes.objectsOf(VMI)).toEqual({ migrations: labelled, vmi: instance, pods: launchers });
    expect(asked).toEqual([
      ['listMigrations', VMI, { labelled: true }],
      ['getVmi', VMI],
      ['listLauncherPods', 'prod', VMI_UID],
    ]);
  });

  test('of one that is gone have no pods, and none are asked for', async () => {
    instance = undefined;
    expect(await kubernetes.objectsOf(VMI)).toEqual({ migrations: labelled, vmi: undefined, pods: [] });
    expect(asked).toHaveLength(2);
  });

  describe('whose launcher pod is of a migration that was not listed', () => {
    const stranger = vmim('02-scheduling', { metadata: { uid: 'unlabelled', labels: {} } });
    const of = (name: string, job: string | undefined, status: object = {}) =>
      pod(name, { metadata: { uid: 'target', labels: { 'kubevirt.io/migrationJobUID': job } }, status });
    const isReadAgain = async (...pods: Pod[]) => {
      [asked, launchers] = [[], pods];
      const { migrations } = await kubernetes.objectsOf(VMI);
      const isAgain = asked.length > 3;
      expect(asked.length).toBe(isAgain ? 6 : 3);
      expect(migrations.includes(stranger)).toBe(isAgain);
      return isAgain;
    };
    beforeEach(() => {
      unlabelled = [stranger];
    });

    test('are read again in the same order, with the migrations that have no label', async () => {
      launchers = [source, of('target-01-created-unscheduled', 'unlabelled')];
      const { migrations, pods } = await kubernetes.objectsOf(VMI);
      expect(migrations).toEqual([...labelled, stranger]);
      expect(pods).toBe(launchers);
      expect(asked.slice(3)).toEqual([
        ['listMigrations', VMI, { labelled: false }],
        ['getVmi', VMI],
        ['listLauncherPods', 'prod', VMI_UID],
      ]);
    });

    test('are read again also where it is not to be found among them, and no further', async () => {
      launchers = [source, of('target-03-running', 'nowhere')];
      await kubernetes.objectsOf(VMI);
      expect(asked).toHaveLength(6);
    });

    test('are read again as long as there are several that live, or it waits alone', async () => {
      expect(await isReadAgain(source, of('target-03-running', 'unlabelled'))).toBe(true);
      expect(await isReadAgain(of('target-01-created-unscheduled', 'unlabelled'))).toBe(true);
    });

    test('are read once where it runs alone: it is what an earlier migration has made', async () => {
      expect(await isReadAgain(of('target-03-running', 'unlabelled'))).toBe(false);
      expect(await isReadAgain(pod('source-completed'), of('target-03-running', 'unlabelled'))).toBe(false);
    });

    test('are read once where it has ended, has no migration, or one that was listed', async () => {
      expect(await isReadAgain(source, of('target-03-running', 'unlabelled', { phase: 'Failed' }))).toBe(false);
      expect(await isReadAgain(source, of('target-03-running', undefined))).toBe(false);
      expect(await isReadAgain(source, pod('target-03-running', { metadata: { labels: undefined } }))).toBe(false);
      expect(await isReadAgain(source, pod('target-03-running'))).toBe(false);
      expect(await isReadAgain()).toBe(false);
    });
  });
});

describe('the networks of a VMI', () => {
  test('are those of its spec, by name', async () => {
    instance = { ...instance!, spec: { networks: [{ name: 'default' }, { name: 'tenant-a' }] } };
    expect(await kubernetes.networksOf(VMI)).toEqual(['default', 'tenant-a']);
    expect(asked).toEqual([['getVmi', VMI]]);
  });

  test('are none where it has none, and not known where it is gone', async () => {
    const { metadata } = instance!;
    for (const without of [{ metadata }, { metadata, spec: {} }]) {
      instance = without;
      expect(await kubernetes.networksOf(VMI)).toEqual([]);
    }
    instance = undefined;
    expect(await kubernetes.networksOf(VMI)).toBeUndefined();
  });
});

describe('VMs that migrate', () => {
  const gated = (change: object = {}, gate: string = DUAL_GATE) =>
    pod('target-01-created-unscheduled', { spec: { schedulingGates: [{ name: gate }] }, metadata: change });

  test('are those of a VMIM that is not final, of all namespaces', async () => {
    unlabelled = [vmim('01-pending', { metadata: { namespace: 'test' }, spec: { vmiName: 'web-02' } })];
    expect(await kubernetes.migratingVmis()).toEqual([VMI, { namespace: 'test', name: 'web-02' }]);
    expect(asked).toEqual([['listAllMigrations'], ['listPendingTargets']]);
  });

  test('are also those of a target pod that our gates hold, though its VMIM may be gone', async () => {
    labelled = [];
    pendingTargets = [gated(), gated({ namespace: 'test' }, PORT_GATE)];
    expect(await kubernetes.migratingVmis()).toEqual([VMI, { ...VMI, namespace: 'test' }]);
  });

  test('are none of a pod that others hold, or that no VMI controls', async () => {
    labelled = [];
    pendingTargets = [gated({}, 'example.com/quota'), pod('target-02-scheduled'), gated({ ownerReferences: [] })];
    expect(await kubernetes.migratingVmis()).toEqual([]);
  });
});

describe('a pod that is let go', () => {
  const schedulingGates = [{ name: 'example.com/quota' }, { name: PORT_GATE }, { name: DUAL_GATE }];
  const target = pod('target-01-created-unscheduled', {
    metadata: { resourceVersion: '7' },
    spec: { schedulingGates },
  });
  const { uid, name } = target.metadata;
  const annotations = { a: 'b' };

  test.each([
    [[PORT_GATE], [schedulingGates[0], schedulingGates[2]]],
    [[DUAL_GATE], [schedulingGates[0], schedulingGates[1]]],
    [[PORT_GATE, DUAL_GATE], [schedulingGates[0]]],
  ] as const)(
    'gets annotations and loses the gates %j in one write, which counts only on the pod as it was read',
    async (gates, kept) => {
      await kubernetes.ungate({ pod: target, gates, annotations });
      const metadata = { uid, resourceVersion: '7', annotations };
      expect(asked).toEqual([['patchPod', name, { metadata, spec: { schedulingGates: kept } }]]);
    },
  );

  test('keeps its spec as it is where it is only annotated', async () => {
    await kubernetes.ungate({ pod: target, gates: [], annotations });
    expect(asked).toEqual([['patchPod', name, { metadata: { uid, resourceVersion: '7', annotations } }]]);
  });

  test('has no gate left where it had none to keep', async () => {
    const bare = pod('target-01-created-unscheduled', { spec: { schedulingGates: undefined } });
    await kubernetes.ungate({ pod: bare, gates: [PORT_GATE], annotations });
    expect(asked[0]![2]).toMatchObject({ spec: { schedulingGates: [] } });
  });

  test('and was changed in between is looked at again', async () => {
    patched = 'Conflict';
    const failed = kubernetes.ungate({ pod: target, gates: [], annotations });
    await expect(failed).rejects.toThrow(LookAgainError);
    await expect(failed).rejects.toThrow(`pod prod/${name} was changed in between`);
  });

  test('and is gone needs nothing', async () => {
    patched = 'NotFound';
    await expect(kubernetes.ungate({ pod: target, gates: [], annotations })).resolves.toBeUndefined();
  });
});

describe('what is recorded on a VMI', () => {
  const event = { type: 'Normal', reason: 'PortDual', message: 'dual' } as const;
  const context = { vmi: { ...VMI, uid: VMI_UID }, component: 'reuse-port' };
  const stored = (resourceVersion: string, count?: number) => ({
    metadata: { name: 'web-01.1', namespace: 'prod', resourceVersion },
    ...(count && { series: { count, lastObservedTime: 'before' } }),
  });
  const counted = (resourceVersion: string, count: number) => [
    'patchEvent',
    'web-01.1',
    { metadata: { resourceVersion }, series: { count, lastObservedTime: expect.any(String) } },
  ];

  test('is an event', async () => {
    await kubernetes.record(event, context);
    expect(asked).toEqual([['createEvent', expect.objectContaining({ reason: 'PortDual', note: 'dual' })]]);
  });

  test('counts up where it is there already', async () => {
    [created, present] = ['AlreadyExists', [stored('7', 3)]];
    await kubernetes.record(event, context);
    const { name } = (asked[0]![1] as EventObject).metadata;
    expect(asked.slice(1)).toEqual([['getEvent', name], counted('7', 4)]);
  });

  test('counts up from what another has counted meanwhile', async () => {
    [created, present, results] = ['AlreadyExists', [stored('7'), stored('8', 2)], ['Conflict']];
    await kubernetes.record(event, context);
    expect(asked.filter(([what]) => what === 'patchEvent')).toEqual([counted('7', 2), counted('8', 3)]);
  });

  test('is over where it is gone by now', async () => {
    created = 'AlreadyExists';
    await kubernetes.record(event, context);
    expect(asked.map(([what]) => what)).toEqual(['createEvent', 'getEvent']);
  });
});

describe('the history of a migration', () => {
  const at = '2026-11-30T10:00:01.000Z';
  const pinned = { pinned: { at, by: 'reuse-port' } };
  const dual = { dual: { at, by: 'enable-dual-chassis' } };
  const text = (record: object) => ({
    'ovn-handover.dev/history': JSON.stringify(record),
    ...('dual' in record && { 'ovn-handover.dev/stage': 'dual' }),
    ...('pinned' in record && !('dual' in record) && { 'ovn-handover.dev/stage': 'pinned' }),
  });
  const with_ = (resourceVersion: string, record: object) =>
    vmim('06-running', { metadata: { resourceVersion, annotations: { 'example.com/a': 'b', ...text(record) } } });
  const bare = vmim('06-running', { metadata: { resourceVersion: '7', annotations: undefined } });
  const { name, uid } = bare.metadata;
  const written = (resourceVersion: string, record: object) => [
    'patchMigration',
    name,
    { metadata: { uid, resourceVersion, annotations: text(record) } },
  ];

  test('is written onto the VMIM as it was read', async () => {
    await kubernetes.recordHistory({ vmim: bare, record: pinned });
    expect(asked).toEqual([written('7', pinned)]);
  });

  test('is added to what stands there, in the annotation that is ours', async () => {
    await kubernetes.recordHistory({ vmim: with_('7', pinned), record: dual });
    expect(asked).toEqual([written('7', { ...dual, ...pinned })]);
  });

  test('is not written where all of it stands there', async () => {
    await kubernetes.recordHistory({ vmim: with_('7', { ...dual, ...pinned }), record: dual });
    expect(asked).toEqual([]);
  });

  test('is written where one of the annotations is not as it should be', async () => {
    const record = { ...pinned, warnings: [{ reason: 'NoPort', at }] };
    await kubernetes.recordHistory({ vmim: with_('7', record), record: {} });
    const annotations = { ...text(record), 'ovn-handover.dev/warnings': 'NoPort' };
    expect(asked).toEqual([['patchMigration', name, { metadata: { uid, resourceVersion: '7', annotations } }]]);
  });

  test('is added to what another has added meanwhile', async () => {
    [results, present] = [['Conflict'], [with_('8', dual)]];
    await kubernetes.recordHistory({ vmim: bare, record: pinned });
    expect(asked).toEqual([written('7', pinned), ['getMigration', name], written('8', { ...dual, ...pinned })]);
  });

  test('is over where the VMIM is gone, or another one has its name', async () => {
    results = ['NotFound'];
    await kubernetes.recordHistory({ vmim: bare, record: pinned });
    expect(asked).toHaveLength(1);
    for (const after of [undefined, vmim('06-running', { metadata: { uid: 'another' } })]) {
      [asked, results, present] = [[], ['Conflict'], after ? [after] : []];
      await kubernetes.recordHistory({ vmim: bare, record: pinned });
      expect(asked).toHaveLength(2);
    }
  });

  test('is given up where somebody else is always faster', async () => {
    results = Array.from({ length: 9 }, () => 'Conflict' as const);
    present = Array.from({ length: 9 }, () => with_('8', {}));
    const failed = kubernetes.recordHistory({ vmim: bare, record: pinned });
    await expect(failed).rejects.toThrow(LookAgainError);
    await expect(failed).rejects.toThrow(`VMIM prod/${name} was changed 5 times in between`);
    expect(asked.filter(([what]) => what === 'patchMigration')).toHaveLength(5);
    expect(uid).toBe(VMIM_UID);
  });
});
