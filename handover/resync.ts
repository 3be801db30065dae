import type { PortChanged } from '../schemas/generated/port-changed.js';
import type { Reconciled } from '../schemas/generated/reconciled.js';
import type { VmiReference } from './decision/kubevirt.ts';
import type { Log } from './kubernetes/log.ts';
import type { World } from './observe.ts';
import { reconcile } from './reconcile.ts';
import { changedIn } from './reply.ts';
import type { ReconcileRequest } from './request.ts';

/** VMs looked at side by side: enough to hide the round trips, too few to crowd the API server. */
const MAX_CONCURRENT_VMS = 8;

/**
 * Looks at every VM that has ports with our record, a migration that is not final, or a target that our gates hold, and
 * makes every difference: what an event that never came would have led to. A VM that cannot be put right now does not hold
 * the others up.
 * @throws TryAgainError where not even the list of VMs can be had
 */
export async function resync(world: World, log: Log): Promise<Reconciled> {
  const changed: PortChanged[] = [];
  const failed: Reconciled['failed'] = [];
  const requests = await requestsFor(world);
  const queue = requests.values();
  const work = async () => {
    for (const request of queue) {
      try {
        const change = changedIn(await reconcile('reconcile', request, world, log));
        if (change) changed.push(change);
      } catch (error) {
        failed.push({ ...request.vmi, why: (error as Error).message });
      }
    }
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT_VMS }, work));
  return { looked: requests.length, changed, failed };
}

/** Every VM that a sweep looks at. */
export async function requestsFor({ northbound, kubernetes }: World): Promise<readonly ReconcileRequest[]> {
  const requests = new Map<string, ReconcileRequest>();
  for (const { vmi, uuids } of await northbound.recordedPorts()) {
    requests.set(keyOf(vmi), { vmi, recorded: uuids });
  }
  // A migration is for all ports of its VM, also those that carry no record yet: they have to be searched.
  for (const vmi of await kubernetes.migratingVmis()) requests.set(keyOf(vmi), { vmi });
  return [...requests.values()];
}

function keyOf({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}
