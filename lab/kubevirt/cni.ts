import { join } from 'node:path';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';
import type { GuestKind } from './guests.ts';
import type { Pod } from './objects.ts';
import type { PodInterface, PodNetwork } from './pod-network.ts';

/** @throws Error when the pod's node is not in the testbed, or no logical switch port is there for its VMI. */
export function networkOf(pod: Pod, testbed: TestbedDescription): PodNetwork {
  const { uid, name } = pod.metadata;
  const chassis = testbed.chassis.find(({ node }) => node === pod.spec.nodeName);
  if (chassis === undefined) throw new Error(`Pod ${name} is on node ${pod.spec.nodeName}, which the testbed has not.`);
  const vm = vmOf(pod, testbed);
  // An interface of Linux has a name of at most 15 bytes.
  const tap = (index: number) => `tap${uid.slice(0, 8)}${index === 0 ? '' : `-${index}`}`;
  const interfaces = vm.interfaces.map((nic, index) => ({ ...nic, tap: tap(index) }));
  return { chassis, vm, interfaces, directory: join(chassis.directory, tap(0)) };
}

/** @throws Error when the testbed has no logical switch port for the pod's VMI. */
export function vmOf(pod: Pod, { vms }: TestbedDescription): VmDescription {
  const { name, namespace, ownerReferences } = pod.metadata;
  const owner = ownerReferences?.[0]?.name;
  const vm = vms.find((one) => one.namespace === namespace && one.name === owner);
  if (vm === undefined) throw new Error(`Pod ${name} is of VMI ${namespace}/${owner}; the testbed has no port for it.`);
  return vm;
}

/** CNI ADD */
export async function addInterfaces(
  pod: Pod,
  testbed: TestbedDescription,
  guests: GuestKind,
): Promise<readonly PodInterface[]> {
  const network = networkOf(pod, testbed);
  await guests.plug(network);
  return network.interfaces;
}

/** CNI DEL: may come more than once, and without an ADD before it. */
export async function removeInterfaces(pod: Pod, testbed: TestbedDescription, guests: GuestKind): Promise<void> {
  await guests.unplug(networkOf(pod, testbed));
}
