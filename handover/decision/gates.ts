import type { FunctionName } from './desired.ts';
import { heldFor, identityDiffers, type KubernetesEvent, noPort, notHandedOver } from './events.ts';
import type { Facts } from './facts.ts';
import { hintAnnotation, portHintOf } from './hint.ts';
import { DUAL_GATE, gatesOf, PORT_GATE, type Pod, type SchedulingGate } from './kubevirt.ts';
import type { Observation } from './observation.ts';
import { type DesiredPort, isBoundFor, type PortChange } from './port.ts';
import type { Profile } from './profile.ts';

/** What is to be written to a launcher pod, so that it may go to the scheduler and plug in. */
export interface SchedulingGateRelease {
  readonly pod: Pod;
  readonly gates: readonly SchedulingGate[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly events: readonly KubernetesEvent[];
}

/** Which gates a function takes off, of pods that the network is ready for. */
const OWN_GATES: Partial<Record<FunctionName, readonly SchedulingGate[]>> = {
  'reuse-port': [PORT_GATE],
  'enable-dual-chassis': [DUAL_GATE],
  reconcile: [PORT_GATE, DUAL_GATE],
};

/** A pod that is held for longer is worth a warning. */
const MAX_HELD_MS = 30_000;

/** The gates that a function takes off. One without a reason goes with the first look of any function that may. */
export function releasesOf(
  name: FunctionName,
  observed: Observation,
  changes: readonly PortChange[],
  profile: Profile,
): SchedulingGateRelease[] {
  const own = OWN_GATES[name];
  if (own === undefined) return [];
  const strays = observed.facts.strays.map(({ pod, why }) => release(pod, gatesOf(pod), [notHandedOver(pod, why)]));
  const target = releaseOfTarget(own, observed, changes, profile);
  return target ? [...strays, target] : strays;
}

function releaseOfTarget(
  own: readonly SchedulingGate[],
  observed: Observation,
  changes: readonly PortChange[],
  profile: Profile,
): SchedulingGateRelease | undefined {
  const pod = waitingTarget(observed.facts);
  if (pod === undefined) return undefined;
  const held = gatesOf(pod);
  if (!isOurs(observed)) {
    const why = observed.ports.length === 0 ? noPort(observed.vmi) : notHandedOver(pod, 'its VMI is not opted in');
    return held.length > 0 ? release(pod, held, [why]) : undefined;
  }
  if (!isBound(observed, changes)) return undefined;
  const gates = held.filter((gate) => own.includes(gate));
  const identity = own.includes(PORT_GATE) ? identityFor(pod, observed, profile) : { annotations: {}, events: [] };
  const isNothing = gates.length === 0 && Object.keys(identity.annotations).length === 0;
  return isNothing ? undefined : { pod, gates, ...identity };
}

/** What the target pod lacks of the source's network identity, and where its ports are. */
function identityFor(
  pod: Pod,
  { facts, ports, southbound }: Observation,
  profile: Profile,
): Pick<SchedulingGateRelease, 'annotations' | 'events'> {
  const rows = ports.map(({ port }) => port);
  const { missing, differing } = profile.identity(pod, facts.migration!.sourcePod, rows);
  const hint = {
    ports: rows.map(({ uuid }) => uuid),
    bindings: rows.flatMap(({ name }) => southbound.bindings.get(name)?.uuid ?? []),
  };
  const isHinted = portHintOf(pod)?.ports.length === rows.length;
  return {
    annotations: { ...missing, ...(!isHinted && hintAnnotation(hint)) },
    events: differing.map((difference) => identityDiffers(pod, difference)),
  };
}

/** Whether a function is to leave on the target where its ports are, and so has to find them in the southbound database. */
export function needsHint(name: FunctionName, facts: Facts): boolean {
  const pod = waitingTarget(facts);
  return OWN_GATES[name]?.includes(PORT_GATE) === true && pod !== undefined && portHintOf(pod) === undefined;
}

/** Whether all ports that are ours are bound for the migration, or will be by these changes. */
export function isBound({ facts, ports }: Observation, changes: readonly PortChange[]): boolean {
  return ports
    .filter(isManaged)
    .every(({ port }) => isBoundFor(facts.migration!.uid, changes.find((change) => change.port === port) ?? port));
}

/** Whether any port is ours to hand over. */
export function isOurs({ ports }: Pick<Observation, 'ports'>): boolean {
  return ports.some(isManaged);
}

function isManaged({ wanted }: DesiredPort): boolean {
  return wanted.binding !== 'leave' || wanted.isManaged;
}

/** The target pod of a migration, as long as it matters whether it may plug in. */
export function waitingTarget({ migration }: Facts): Pod | undefined {
  if (!migration?.target || migration.target.ended || migration.deleting || migration.switched) return undefined;
  return migration.target.pod;
}

/** A warning for a target that nobody let go. */
export function heldTooLong(facts: Facts, now: number): KubernetesEvent[] {
  const pod = waitingTarget(facts);
  if (pod === undefined) return [];
  const gates = gatesOf(pod);
  const created = new Date(pod.metadata.creationTimestamp ?? now).getTime();
  return gates.length > 0 && now - created > MAX_HELD_MS ? [heldFor(pod, gates, MAX_HELD_MS / 1_000)] : [];
}

function release(
  pod: Pod,
  gates: readonly SchedulingGate[],
  events: readonly KubernetesEvent[],
): SchedulingGateRelease {
  return { pod, gates, annotations: {}, events };
}
