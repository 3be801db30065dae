import { beforeEach, describe, expect, test } from '@jest/globals';
import { LookAgainError } from '../../../handover/decision/errors.ts';
import { DUAL_GATE, PORT_GATE, type Pod } from '../../../handover/decision/kubevirt.ts';
import { Kubernetes, type KubernetesApi } from '../../../handover/kubernetes/kubernetes.ts';
import { pod, VMI, VMI_UID, vmi, vmim } from '../../../testkit/moments.ts';

/** What was asked, in order, and with what. */
let asked: [string, ...unknown[]][];
let patched: Awaited<ReturnType<KubernetesApi['patchPod']>>;
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
  async createEvent(of, component, event) {
    asked.push(['createEvent', of, component, event]);
  },
};
const kubernetes = new Kubernetes(api);
const source = pod('source-running');
beforeEach(() => {
  asked = [];
  patched = 'patched';
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

test('what is recorded is an event on the VMI', async () => {
  const event = { type: 'Normal', reason: 'PortDual', message: 'dual' } as const;
  await kubernetes.record({ ...VMI, uid: VMI_UID }, 'reuse-port', event);
  expect(asked).toEqual([['createEvent', { ...VMI, uid: VMI_UID }, 'reuse-port', event]]);
});
