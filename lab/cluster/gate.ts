import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { migration, targetPod, virtualMachine, virtualMachineInstance } from '../kubevirt/manifests.ts';
import type { KubernetesObject, Manifest, Pod } from '../kubevirt/objects.ts';
import { describeVm } from '../testbed/description.ts';

const WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** Waits until the API server puts the gate on a target pod: it learns of a new policy a moment after it has it. */
export async function awaitGate(config: KubeConfig): Promise<void> {
  const pod = targetOf('policy-probe', 'default');
  for (const giveUpAt = Date.now() + WITHIN_MS; (await gatesOn(config, pod)).length === 0; await sleep(LOOK_EVERY_MS)) {
    if (Date.now() > giveUpAt)
      throw new Error('The API server has the policy of the scheduling gate, and sets no gate.');
  }
}

/** The scheduling gates that a pod would have; it is not created. */
export async function gatesOn(config: KubeConfig, pod: object): Promise<string[]> {
  const { namespace = '' } = (pod as V1Pod).metadata ?? {};
  const core = config.makeApiClient(CoreV1Api);
  const { spec } = await core.createNamespacedPod({ namespace, body: pod as V1Pod, dryRun: 'All' });
  return spec?.schedulingGates?.map(({ name }) => name) ?? [];
}

/** The target pod that KubeVirt would create for a migration of a VM that opted in. */
export function targetOf(name: string, namespace: string): Manifest<Pod> {
  const stored = <T extends KubernetesObject>(manifest: Manifest<T>) =>
    ({ ...manifest, metadata: { ...manifest.metadata, name, uid: crypto.randomUUID() } }) as unknown as T;
  const [nic] = describeVm({ name, namespace }).interfaces;
  const vmi = stored(virtualMachineInstance(stored(virtualMachine({ name, namespace, interfaces: [nic] }))));
  return targetPod(vmi, stored(migration({ vmiName: name, namespace })));
}
