import type { FunctionName } from '../../handover/decision/desired.ts';
import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import type { Observation } from '../../handover/decision/observation.ts';
import { type Plan, plan } from '../../handover/decision/plan.ts';
import { observe, type World } from '../../handover/observe.ts';
import type { ReconcileRequest } from '../../handover/request.ts';

/** What is true of one VM, and what `reconcile`, whose part is every step, would do about it. */
export interface Look {
  readonly observed: Observation;
  readonly plan: Plan;
}

/** One look of `reconcile` without what follows: nothing is written. */
export async function lookAt(request: ReconcileRequest, world: World): Promise<Look> {
  const observed = await observe('reconcile', request, world);
  return { observed, plan: planOf('reconcile', observed, world) };
}

/**
 * What a function would do after a look, in a call that begins with it: as of when it looked. A function does not act on what is
 * older than two seconds, which is no reason not to show it.
 */
export function planOf(
  name: FunctionName,
  observed: Observation,
  world: Pick<World, 'profile' | 'activationStrategy'>,
): Plan {
  const { profile, activationStrategy } = world;
  const call = { elapsedMs: 0, hasLetGo: false, repeated: 0, isPodDeletion: false };
  return plan(name, observed, { profile, activationStrategy, now: observed.readAt, call });
}

export function nameOf({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}

/** Does `work` for each item, a few side by side, and keeps their order. */
export async function forEach<Item, Result>(
  items: readonly Item[],
  concurrent: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: concurrent }, worker));
  return results;
}
