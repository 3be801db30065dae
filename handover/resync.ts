import type { PortChanged } from '../schemas/generated/port-changed.js';
import type { Reconciled } from '../schemas/generated/reconciled.js';
import type { VmiReference } from './decision/kubevirt.ts';
import { handOver, type Outcome, type World } from './reconcile.ts';
import { changedIn } from './reply.ts';
import type { Occasion } from './request.ts';

/** VMs looked at side by side: enough to hide the round trips, too few to crowd the API server. */
const AT_ONCE = 8;

/**
 * Looks at every VM that has ports with our record or a migration that is not final, and makes every difference: what
 * an event that never came would have led to. A VM that cannot be put right now does not hold the others up.
 * @param onOutcome called for each VM that was looked at
 * @throws TryAgainError where not even the list of VMs can be had
 */
export async function reconcile(world: World, onOutcome: (outcome: Outcome) => Promise<void>): Promise<Reconciled> {
  const changed: PortChanged[] = [];
  const failed: Reconciled['failed'] = [];
  const occasions = await occasionsToLook(world);
  const queue = occasions.values();
  const look = async () => {
    for (const occasion of queue) {
      try {
        const outcome = await handOver('reconcile', occasion, world);
        await onOutcome(outcome);
        const change = changedIn(outcome);
        if (change) changed.push(change);
      } catch (error) {
        failed.push({ ...occasion.vmi, why: (error as Error).message });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return { looked: occasions.length, changed, failed };
}

async function occasionsToLook({ northbound, kubernetes }: World): Promise<readonly Occasion[]> {
  const occasions = new Map<string, Occasion>();
  for (const { vmi, uuids } of await northbound.recordedPorts()) {
    occasions.set(keyOf(vmi), { vmi, hint: undefined, recorded: uuids });
  }
  // A migration is for all ports of its VM, also those that carry no record yet: they have to be searched.
  for (const vmi of await kubernetes.migratingVmis()) occasions.set(keyOf(vmi), { vmi, hint: undefined });
  return [...occasions.values()];
}

function keyOf({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}
