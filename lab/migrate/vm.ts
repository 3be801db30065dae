import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../kubevirt/cluster.ts';
import { virtualMachine } from '../kubevirt/manifests.ts';
import type { Condition } from '../kubevirt/objects.ts';
import { runIn } from '../testbed/command.ts';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';

const READY_WITHIN_MS = 60_000;

/** A VM of the testbed that runs. */
export interface Vm extends VmDescription {
  /** Where KubeVirt says that the guest runs. */
  node(): string;
}

/**
 * Creates a VM that the testbed has ports for, and waits until its guest runs and answers the client on each of them.
 * @param options.vm by default the testbed's first
 * @param options.annotations of its template; by default those that opt it in
 */
export async function startVm(
  testbed: TestbedDescription,
  cluster: Cluster,
  options: { vm?: VmDescription; annotations?: Record<string, string> } = {},
): Promise<Vm> {
  const { vm = testbed.vms[0], annotations } = options;
  const { name, namespace, interfaces } = vm;
  await cluster.vms.create(virtualMachine({ ...vm, ...(annotations && { annotations }) }));
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  const vmi = () => cluster.vmis.get(namespace, name);
  await cluster.until(() => vmi()?.status?.conditions?.some(isReady), signal);
  for (const { ip } of interfaces) {
    while (!(await answers(testbed, ip))) {
      if (signal.aborted) throw new Error(`The guest of VM ${namespace}/${name} runs, but does not answer on ${ip}.`);
      await sleep(100);
    }
  }
  return { ...vm, node: () => vmi()?.status?.nodeName ?? '' };
}

function isReady({ type, status }: Condition): boolean {
  return type === 'Ready' && status === 'True';
}

/** Whether the VM answers a ping of the client within a second. */
export async function answers({ client }: TestbedDescription, ip: string): Promise<boolean> {
  return runIn(client.netns, 'ping', ['-c', '1', '-W', '1', ip]).then(
    () => true,
    () => false,
  );
}
