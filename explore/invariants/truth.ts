import type { Port, PortColumns } from '../model/northbound.ts';
import { hasEnded, isFinal, ownerOf } from '../model/objects.ts';
import type { Southbound } from '../model/southbound.ts';
import type { Moment, Vm } from '../model/vm.ts';

/**
 * What a port's binding may be by the model's own knowledge. Nothing here is shared with the functions: where both say the
 * same, two have come to it.
 */

/** Facts may be this old when a transaction that was decided on them is sent. */
export const MAX_FACTS_AGE_MS = 2_000;
/** A pod that has ended may be plugged in for this long. */
const UNPLUGGED_AFTER_MS = 60_000;

const BOUND_KEYS: readonly string[] = ['requested-chassis', 'activation-strategy'];

export function isOurKey(key: string): boolean {
  return BOUND_KEYS.includes(key) || key.startsWith('handover-');
}

/** The value of requested-chassis; empty where the port is unbound. */
export function requestedOf({ options }: Pick<Port, 'options'>): string {
  return options['requested-chassis'] ?? '';
}

/** Wherever it is. */
export function isRecorded(port: PortColumns): boolean {
  return vmiOfRecord(port) !== undefined;
}

export function vmiOfRecord({ options, externalIds }: PortColumns): string | undefined {
  return options['handover-vmi'] ?? externalIds['handover-vmi'];
}

/** Where the guest runs by what Kubernetes says. */
export function toldNode({ node, migration }: Moment): string | undefined {
  return migration?.switched ? migration.target : node;
}

/** Both chassis that a port is to be bound to at such a moment, if it is to be bound to two. */
export function dualAt({ node, migration }: Moment, southbound: Southbound): string | undefined {
  if (node === undefined || migration?.target === undefined || migration.target === node) return undefined;
  if (migration.targetEnded || migration.switched || migration.sourceEnded) return undefined;
  const names = [node, migration.target].map((one) => southbound.chassisOf(one));
  return names.includes(undefined) ? undefined : names.join(',');
}

/** Whether something other than the guest's own pod has the VM plugged in, on whichever node. */
export function hasOtherTap(vm: Vm): boolean {
  return [...vm.taps.keys()].some((pod) => pod !== vm.guestPod);
}

/**
 * The bindings that a port may have now that somebody has looked at it; `undefined` where any will do. An empty one
 * means that nothing of ours is there.
 * @param lookedAt when whoever looked began to
 */
export function acceptable(
  vm: Vm,
  port: Port,
  southbound: Southbound,
  lookedAt = Date.now(),
): readonly string[] | undefined {
  const { uid, node, optedIn, migration } = vm.now;
  // A binding whose record somebody has taken off is nobody's that could be told, unless a migration is for it.
  if (!isRecorded(port) && (uid === undefined || !optedIn || migration === undefined)) return undefined;
  if (uid === undefined) return [''];
  const at = (one: string | undefined) => (one === undefined ? undefined : southbound.chassisOf(one));
  if (migration === undefined) {
    const others = otherPods(vm, lookedAt);
    const pinned = at(node);
    // What OVN has not followed yet stays, for whoever looks next to see that.
    if (others === 'all gone' && (pinned === undefined || vm.ports.every((one) => southbound.hasFollowed(one))))
      return [''];
    if (pinned === undefined) return undefined;
    return others === 'plugged in' ? [pinned] : [pinned, ''];
  }
  if (!migration.isFound) return undefined;
  if (migration.switched) {
    const target = at(migration.target);
    return target === undefined ? undefined : [target];
  }
  const source = at(node);
  if (source === undefined) return undefined;
  const dual = dualAt(vm.now, southbound);
  const target = vm.pods.find((pod) => pod.metadata.uid === vm.migration?.pod);
  if (migration.sourceEnded || migration.deleting || (target && hasEnded(target))) return undefined;
  if (migration.target !== undefined && migration.target !== node) return dual === undefined ? undefined : [dual];
  return migration.target === node ? [source, ''] : [source];
}

/** Whether launcher pods of the VM other than the guest's may be plugged in, as far as Kubernetes shows it. */
function otherPods(vm: Vm, lookedAt: number): 'plugged in' | 'perhaps' | 'all gone' {
  const others = vm.pods.filter((pod) => ownerOf(pod) === vm.vmi?.metadata.uid && pod.metadata.uid !== vm.guestPod);
  if (others.some((pod) => !isFinal(pod))) return hasOtherTap(vm) ? 'plugged in' : 'perhaps';
  const ends = others.map(endOf);
  // Kubernetes gives whole seconds.
  if (ends.every((end) => lookedAt - end > UNPLUGGED_AFTER_MS + 1_000)) return 'all gone';
  const isRecent = ends.some((end) => Date.now() - end < UNPLUGGED_AFTER_MS - 1_000);
  return hasOtherTap(vm) && isRecent ? 'plugged in' : 'perhaps';
}

function endOf({ status }: Vm['pods'][number]): number {
  const [condition] = (status.conditions ?? []) as readonly { readonly lastTransitionTime: string }[];
  return condition === undefined ? Date.now() : Date.parse(condition.lastTransitionTime);
}
