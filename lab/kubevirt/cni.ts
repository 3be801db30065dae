import type { Chassis, TestbedDescription } from '../testbed/description.ts';
import { plug, unplug } from '../testbed/plug.ts';
import type { Pod } from './objects.ts';

/** The plug of a launcher pod on its node. */
export interface PodInterface {
  readonly chassis: Chassis;
  readonly tap: string;
  /** Name of the logical switch port, after Kube-OVN: `<vmi>.<namespace>` for each pod of a VMI. */
  readonly port: string;
}

/** @throws Error when the pod's node is not in the testbed, or no logical switch port is there for its VMI. */
export function interfaceOf(pod: Pod, testbed: TestbedDescription): PodInterface {
  const { uid, name, namespace, ownerReferences } = pod.metadata;
  const chassis = testbed.chassis.find(({ node }) => node === pod.spec.nodeName);
  if (chassis === undefined) throw new Error(`Pod ${name} is on node ${pod.spec.nodeName}, which the testbed has not.`);
  const port = `${ownerReferences?.[0]?.name}.${namespace}`;
  if (port !== testbed.guest.port) {
    throw new Error(`Pod ${name} needs logical switch port ${port}; the testbed has ${testbed.guest.port} only.`);
  }
  return { chassis, tap: `tap${uid.slice(0, 8)}`, port };
}

/** CNI ADD */
export async function addInterface(pod: Pod, testbed: TestbedDescription): Promise<PodInterface> {
  const added = interfaceOf(pod, testbed);
  await plug(added.chassis, added);
  return added;
}

/** CNI DEL: may come more than once, and without an ADD before it. */
export async function removeInterface(pod: Pod, testbed: TestbedDescription): Promise<void> {
  const { chassis, tap } = interfaceOf(pod, testbed);
  await unplug(chassis, tap);
}
