import type { Facts } from './facts.ts';
import type { Pod, VmiReference } from './kubevirt.ts';
import { ACTIVATION_STRATEGY, isRepeated, type Port, type PortChange, REQUESTED_CHASSIS } from './port.ts';
import { carriesRecord, recordOf } from './record.ts';
import type { SideEffects } from './southbound.ts';

/** One line of the story that `kubectl describe vmi` shows: an Event of Kubernetes on the VMI. */
export interface KubernetesEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  readonly message: string;
}

/** What a function did, or was about to do, when it had to say this (docs/metrics.md). */
export const ACTIONS = {
  PortPinned: 'BindPort',
  PortDual: 'BindPort',
  PortReleased: 'BindPort',
  PortNotDualInTime: 'BindPort',
  PortOverwritten: 'BindPort',
  PortCannotBeHeld: 'BindPort',
  ClaimMissed: 'BindPort',
  TargetNotClaimed: 'BindPort',
  ChassisUnknown: 'BindPort',
  ChassisAmbiguous: 'BindPort',
  DualOnLocalnet: 'BindPort',
  VirtualPortContested: 'BindPort',
  NoPort: 'LetTargetGo',
  NotHandedOver: 'LetTargetGo',
  IdentityDiffers: 'LetTargetGo',
  TargetGated: 'LetTargetGo',
  TargetOnSourceNode: 'LetTargetGo',
  EventGivenUp: 'LookInPlace',
} as const;

export type Reason = keyof typeof ACTIONS;

const REASONS: Record<PortChange['wanted']['binding'], Reason> = {
  unbound: 'PortReleased',
  pinned: 'PortPinned',
  dual: 'PortDual',
};

/** What was changed on one port, and a warning where that came too late or had to be done again. */
export function eventsOf(change: PortChange, { migration }: Facts): [KubernetesEvent, ...KubernetesEvent[]] {
  const { port, wanted, options } = change;
  const strategy = options[ACTIVATION_STRATEGY];
  const binding = options[REQUESTED_CHASSIS] ?? 'nothing';
  const events: [KubernetesEvent, ...KubernetesEvent[]] = [
    {
      type: 'Normal',
      reason: REASONS[wanted.binding],
      message: `Port ${port.name}: ${REQUESTED_CHASSIS} is ${binding}${strategy ? `, opened by ${strategy}` : ''}${migration ? `, for migration ${migration.name}` : ''} (rule ${wanted.rule}).`,
    },
  ];
  if (migration?.switched && wanted.binding === 'pinned' && wasClosed(change, migration.uid)) {
    events.push({
      type: 'Warning',
      reason: 'PortNotDualInTime',
      message: `Port ${port.name} was not bound to both chassis when the guest switched to ${wanted.node}: its traffic was out until now. Were the functions reached in time, or had they warned that it cannot be held?`,
    });
  }
  if (wanted.binding !== 'unbound' && carriesRecord(port.options, wanted.record)) {
    events.push(isRepeated(change) ? claimMissed(port.name, binding) : overwritten(port));
  }
  return events;
}

function overwritten({ name, options }: Port): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'PortOverwritten',
    message: `Port ${name} had ${shown(options[REQUESTED_CHASSIS])} for ${REQUESTED_CHASSIS} and ${shown(options[ACTIVATION_STRATEGY])} for ${ACTIVATION_STRATEGY}, which is not what was written for this migration: another controller writes them too. Kube-OVN does when a launcher pod of the VM is deleted; it was put back.`,
  };
}

function claimMissed(port: string, chassis: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'ClaimMissed',
    message: `Port ${port} is bound to ${chassis} alone, and ovn-controller there has not claimed it as its main chassis: the guest was cut off from other nodes. It was written again, for ovn-controller to look again (docs/ovn-versions.md).`,
  };
}

/** Whether the target's side of a port was closed when the guest began to run there. */
function wasClosed({ port, options }: PortChange, migration: string): boolean {
  const record = recordOf(port.options);
  const isOurs = record?.migration === migration && (record.binding === 'dual' || record.target !== undefined);
  const requested = port.options[REQUESTED_CHASSIS]?.split(',') ?? [];
  return !isOurs && !requested.includes(options[REQUESTED_CHASSIS]!);
}

export function noPort({ namespace, name }: VmiReference): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'NoPort',
    message: `No logical switch port of ${namespace}/${name} found in OVN northbound: the migration goes on without a hand-over. Check OVN_PROFILE and OVN_NB_REMOTE.`,
  };
}

export function notClaimed(port: string, node: string, chassis: string, migration: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'TargetNotClaimed',
    message: `Port ${port} is bound to ${node} too, but its chassis ${chassis} has not claimed it while migration ${migration} copies memory already: is the target plugged in, and ovn-controller running there?`,
  };
}

export function cannotBeHeld(port: string, node: string, strategy: string, why: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'PortCannotBeHeld',
    message: `Port ${port} stays bound to the source alone until the guest has switched: on ${node} it cannot be held by ${strategy}, for ${why}. Check OVN_ACTIVATION_STRATEGY, the port's addresses, and OVN's version there.`,
  };
}

/** @param gates those that hold it */
export function heldFor(pod: Pod, gates: readonly string[], seconds: number): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'TargetGated',
    message: `Target pod ${pod.metadata.name} was held by ${gates.join(' and ')} for more than ${seconds} s: its migration waits for the functions. Are they reached, and OVN's databases by them?`,
  };
}

export function notHandedOver(pod: Pod, why: string): KubernetesEvent {
  return {
    type: 'Normal',
    reason: 'NotHandedOver',
    message: `Pod ${pod.metadata.name} goes to the scheduler without a hand-over: ${why}.`,
  };
}

export function targetOnSourceNode(pod: Pod, node: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'TargetOnSourceNode',
    message: `Target pod ${pod.metadata.name} is on ${node}, where the guest runs already: KubeVirt will fail the migration, and the port stays bound to that node.`,
  };
}

/** @param by URL of the function that did not take it */
export function eventGivenUp(by: string, migration: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'EventGivenUp',
    message: `An event of migration ${migration} was brought to ${by.slice(0, MAX_URL_LENGTH)} in vain, in all its retries: reconcile looks in its place. Does that function start, and reach OVN's databases?`,
  };
}

/** A note of an Event takes 1024 bytes. */
const MAX_URL_LENGTH = 256;

export function sideEffectsOf({ port, isOnLocalnet, virtualPorts }: SideEffects): KubernetesEvent[] {
  const events: KubernetesEvent[] = [];
  if (isOnLocalnet) {
    events.push({
      type: 'Warning',
      reason: 'DualOnLocalnet',
      message: `Port ${port} is on a localnet network: while it is bound to both chassis, OVN tunnels its packets, and those of full size pass only where the fabric has room for the tunnel's header (docs/ovn-versions.md).`,
    });
  }
  if (virtualPorts.length > 0) {
    events.push({
      type: 'Warning',
      reason: 'VirtualPortContested',
      message: `Port ${port} is a parent of ${virtualPorts.join(', ')}: while it is bound to both chassis, they claim that in turn (docs/ovn-versions.md).`,
    });
  }
  return events;
}

/** @param reason ChassisUnknown or ChassisAmbiguous */
export function noChassis(node: string, names: readonly string[]): KubernetesEvent {
  const what = names.length === 0 ? 'no chassis' : `${names.length} chassis (${[...names].sort().join(', ')})`;
  return {
    type: 'Warning',
    reason: names.length === 0 ? 'ChassisUnknown' : 'ChassisAmbiguous',
    message: `OVN southbound lists ${what} with hostname or name ${node}, expected one: is its ovn-controller running, and no stale chassis left?`,
  };
}

export function identityDiffers(pod: Pod, difference: string): KubernetesEvent {
  return {
    type: 'Warning',
    reason: 'IdentityDiffers',
    message: `Target pod ${pod.metadata.name} has another network identity than the source: ${difference}.`,
  };
}

function shown(value: string | undefined): string {
  return value === undefined ? 'nothing' : `"${value}"`;
}
