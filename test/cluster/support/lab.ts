import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { type AuditEvent, readAudit } from '../../../lab/cluster/audit.ts';
import { type ControlPlane, startControlPlane } from '../../../lab/control-plane.ts';
import type { Entry } from '../../../lab/knative/journal.ts';
import { MIGRATION_JOB_UID } from '../../../lab/kubevirt/labels.ts';
import { migration } from '../../../lab/kubevirt/manifests.ts';
import type { Pod, VirtualMachineInstanceMigration } from '../../../lab/kubevirt/objects.ts';
import { Baseline } from '../../../lab/migrate/baseline.ts';
import { startVm, type Vm } from '../../../lab/migrate/vm.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

/** From a target pod's nodeName to copying. */
export const PACE_MS = 5_000;

/** Real Kubernetes, Knative's receive adapter, real OVN, and a VM with a real guest on node1 whose port was never bound. */
export interface Lab {
  readonly testbed: Testbed;
  readonly controlPlane: ControlPlane;
  readonly vm: Vm;
  /** Each pod as it was when it was first seen, by its name; also those that are gone. */
  readonly created: ReadonlyMap<string, Pod>;
  /** Creates a VMIM, and gives it with its target pod as soon as there is one. */
  migrate(to: string): Promise<{ migration: VirtualMachineInstanceMigration; target: Pod }>;
  /** What happened at the broker up to now. */
  journal(): Promise<readonly Entry[]>;
  /** What our ServiceAccounts did with objects, as kube-apiserver answered it; watches that go on are not among them. */
  requests(): Promise<readonly AuditEvent[]>;
}

/** A testbed for one file of tests; each test starts its own control plane on it, which ends with the test. */
export function useLab(prefix: string): (options: { functions: boolean }) => Promise<Lab> {
  let directory: string;
  let testbed: Testbed;
  let controlPlane: ControlPlane | undefined;
  let done = new AbortController();
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'handover-'));
    testbed = await startTestbed({ directory, prefix });
  });
  afterEach(async () => {
    done.abort();
    await controlPlane?.stop();
    controlPlane = undefined;
  });
  afterAll(async () => {
    await testbed?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  return async ({ functions }) => {
    await new Baseline(testbed).reset();
    controlPlane = await startControlPlane({
      ...{ testbed, kubernetes: 'real', gate: true, functions, pingSource: false },
      ...{ eventDelayMs: 0, paceMs: PACE_MS, idleMs: 10_000 },
    });
    done = new AbortController();
    const created = watchPods(controlPlane, done.signal);
    const vm = await startVm(testbed, controlPlane.cluster);
    return labOf(testbed, controlPlane, vm, created);
  };
}

function labOf(testbed: Testbed, controlPlane: ControlPlane, vm: Vm, created: Lab['created']): Lab {
  const { cluster, logs } = controlPlane;
  return {
    ...{ testbed, controlPlane, vm, created },
    async migrate(targetNode) {
      const manifest = migration({ vmiName: vm.name, namespace: vm.namespace, targetNode });
      const created = await cluster.vmims.create(manifest);
      const isTarget = (pod: Pod) => pod.metadata.labels?.[MIGRATION_JOB_UID] === created.metadata.uid;
      const target = await cluster.until(() => cluster.pods.all().find(isTarget), AbortSignal.timeout(30_000));
      return { migration: created, target };
    },
    async journal() {
      const lines = (await readFile(logs.knative, 'utf8')).split('\n');
      return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
    },
    async requests() {
      const all = await readAudit(logs.requests);
      return all.filter(({ stage, objectRef }) => stage === 'ResponseComplete' && objectRef !== undefined);
    },
  };
}

function watchPods({ cluster }: ControlPlane, signal: AbortSignal): Lab['created'] {
  const created = new Map<string, Pod>();
  cluster.onChange(() => {
    for (const pod of cluster.pods.all()) {
      if (!created.has(pod.metadata.name)) created.set(pod.metadata.name, pod);
    }
  }, signal);
  return created;
}
