import { beforeEach, describe, expect, test } from '@jest/globals';
import { LookAgainError } from '../../../handover/decision/errors.ts';
import { Kubernetes, type KubernetesApi } from '../../../handover/kubernetes/kubernetes.ts';
import { pod, VMI, VMI_UID, vmi, vmim } from '../support/moments.ts';

/** What was asked, in order, and with what. */
let asked: [string, ...unknown[]][];
let patched: 'patched' | 'conflict' | 'gone';
let instance: ReturnType<typeof vmi> | undefined;
let migrations: ReturnType<typeof vmim>[];

const api: KubernetesApi = {
  async listMigrations(of) {
    asked.push(['listMigrations', of]);
    return migrations;
  },
  async getVmi(of) {
    asked.push(['getVmi', of]);
    return instance;
  },
  async listLauncherPods(namespace, uid) {
    asked.push(['listLauncherPods', namespace, uid]);
    return [pod('source-running')];
  },
  async patchPod(target, patch) {
    asked.push(['patchPod', target.metadata.name, patch]);
    return patched;
  },
  async createEvent(of, component, remark) {
    asked.push(['createEvent', of, component, remark]);
  },
};
const kubernetes = new Kubernetes(api);
beforeEach(() => {
  asked = [];
  patched = 'patched';
  instance = vmi('01-idle');
  migrations = [vmim('06-running'), vmim('08-failed')];
});

describe('the objects of a VM', () => {
  test('are read in the one order that cannot mislead: migrations, VMI, pods', async () => {
    expect(await kubernetes.objectsOf(VMI)).toEqual({ migrations, vmi: instance, pods: [pod('source-running')] });
    expect(asked).toEqual([
      ['listMigrations', VMI],
      ['getVmi', VMI],
      ['listLauncherPods', 'prod', VMI_UID],
    ]);
  });

  test('of one that is gone have no pods, and none are asked for', async () => {
    instance = undefined;
    expect(await kubernetes.objectsOf(VMI)).toEqual({ migrations, vmi: undefined, pods: [] });
    expect(asked).toHaveLength(2);
  });
});

test('VMs that migrate are those of a VMIM that is not final, of all namespaces', async () => {
  expect(await kubernetes.migratingVmis()).toEqual([VMI]);
  expect(asked).toEqual([['listMigrations', undefined]]);
});

describe('a target pod that is let go', () => {
  const gates = [{ name: 'example.com/quota' }, { name: 'ovn-handover.dev/port' }];
  const target = pod('target-01-created-unscheduled', {
    metadata: { resourceVersion: '7' },
    spec: { schedulingGates: gates },
  });
  const { uid } = target.metadata;

  test('gets annotations and loses our gate in one write, which counts only on the pod as it was read', async () => {
    await kubernetes.admit(target, { a: 'b' });
    expect(asked).toEqual([
      [
        'patchPod',
        target.metadata.name,
        {
          metadata: { uid, resourceVersion: '7', annotations: { a: 'b' } },
          spec: { schedulingGates: [{ name: 'example.com/quota' }] },
        },
      ],
    ]);
  });

  test.each([
    ['without any gate', undefined],
    ["with others' gates only", [{ name: 'example.com/quota' }]],
  ])('%s keeps its spec as it is', async (_what, schedulingGates) => {
    await kubernetes.admit(pod('target-01-created-unscheduled', { spec: { schedulingGates } }), { a: 'b' });
    expect(asked[0]![2]).not.toHaveProperty('spec');
  });

  test('and was changed in between is looked at again', async () => {
    patched = 'conflict';
    const refused = kubernetes.admit(target, {});
    await expect(refused).rejects.toThrow(LookAgainError);
    await expect(refused).rejects.toThrow(`pod prod/${target.metadata.name} was changed in between`);
  });

  test('and is gone needs nothing', async () => {
    patched = 'gone';
    await expect(kubernetes.admit(target, {})).resolves.toBeUndefined();
  });
});

test('a remark is an event on the VMI', async () => {
  const remark = { type: 'Normal', reason: 'PortDual', message: 'dual' } as const;
  await kubernetes.remark({ ...VMI, uid: VMI_UID }, 'reuse-port', remark);
  expect(asked).toEqual([['createEvent', { ...VMI, uid: VMI_UID }, 'reuse-port', remark]]);
});
