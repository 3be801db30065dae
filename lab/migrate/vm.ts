import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../kubevirt/cluster.ts';
import { virtualMachine } from '../kubevirt/manifests.ts';
import type { Condition } from '../kubevirt/objects.ts';
import { runIn } from '../testbed/command.ts';
import type { TestbedDescription } from '../testbed/description.ts';

const READY_WITHIN_MS = 60_000;

/** The lab's VM. */
export interface Vm {
  readonly name: string;
  readonly namespace: string;
  /** Where KubeVirt says that the guest runs. */
  node(): string;
}

/**
 * Creates the VM that the testbed has a port for, and waits until its guest runs and answers the client.
 * @param annotations of its template; by default those that opt it in
 */
export async function startVm(
  testbed: TestbedDescription,
  cluster: Cluster,
  annotations?: Record<string, string>,
): Promise<Vm> {
  const [name = '', namespace = ''] = testbed.guest.port.split('.');
  await cluster.vms.create(
    virtualMachine({ name, namespace, macAddress: testbed.guest.mac, ...(annotations && { annotations }) }),
  );
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  const vmi = () => cluster.vmis.get(namespace, name);
  await cluster.until(() => vmi()?.status?.conditions?.some(isReady), signal);
  while (!(await answers(testbed))) {
    if (signal.aborted)
      throw new Error(`The guest of VM ${namespace}/${name} runs, but does not answer the client's ping.`);
    await sleep(100);
  }
  return { name, namespace, node: () => vmi()?.status?.nodeName ?? '' };
}

function isReady({ type, status }: Condition): boolean {
  return type === 'Ready' && status === 'True';
}

async function answers({ client, guest }: TestbedDescription): Promise<boolean> {
  return runIn(client.netns, 'ping', ['-c', '1', '-W', '1', guest.ip]).then(
    () => true,
    () => false,
  );
}
