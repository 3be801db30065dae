import { OPT_IN_ANNOTATION, type VirtualMachineInstance, type VmiReference } from '../../handover/decision/kubevirt.ts';
import type { World } from '../../handover/observe.ts';
import { requestsFor } from '../../handover/resync.ts';
import type { ClusterApi } from '../cluster/api.ts';
import { KINDS } from '../cluster/kinds.ts';
import { CommandError, EXIT } from '../errors.ts';
import { nameOf } from './look.ts';

/** `NAMESPACE/VM`, or a name alone in the context's namespace. */
export function vmNamed(text: string, defaultNamespace: string): VmiReference {
  const [first, second, ...more] = text.split('/');
  if (!first || second === '' || more.length > 0) {
    throw new CommandError(EXIT.usage, `${text} names no VM: expected NAMESPACE/VM`);
  }
  return second === undefined ? { namespace: defaultNamespace, name: first } : { namespace: first, name: second };
}

/** The VMs that opted in, and those that a sweep would look at: with our record, a migration, or a gated target. */
export async function vmsOf(api: ClusterApi, world: World): Promise<readonly VmiReference[]> {
  const [instances, requests] = await Promise.all([api.list<VirtualMachineInstance>(KINDS.vmis), requestsFor(world)]);
  const optedIn = instances
    .filter(({ metadata }) => metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined)
    .map(({ metadata: { namespace, name } }) => ({ namespace, name }));
  const all = new Map([...optedIn, ...requests.map(({ vmi }) => vmi)].map((vmi) => [nameOf(vmi), vmi]));
  return [...all].sort(([a], [b]) => a.localeCompare(b)).map(([, vmi]) => vmi);
}
