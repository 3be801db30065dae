import { whyNotHeld } from './activation.ts';
import { claimOf } from './claim.ts';
import { type Change, type FunctionName, isPartOf, RULES, type Rule } from './desired.ts';
import {
  cannotBeHeld,
  eventGivenUp,
  type KubernetesEvent,
  noChassis,
  notClaimed,
  targetOnSourceNode,
} from './events.ts';
import { heldTooLong, isOurs, releasesOf, type SchedulingGateRelease } from './gates.ts';
import type { Observation } from './observation.ts';
import {
  ACTIVATION_STRATEGY,
  changeFor,
  type DesiredPort,
  isDual,
  nodesOf,
  type PortChange,
  repeated,
} from './port.ts';
import type { Profile } from './profile.ts';
import { recordOf } from './record.ts';
import { again, type CallSoFar, type Requeue, requeueAfter, retry } from './requeue.ts';
import { isClaimedBy, type SouthboundFacts } from './southbound.ts';

/** What one look leads to, in the order in which it is done. */
export interface Plan {
  /** Committed in one transaction. */
  readonly changes: readonly PortChange[];
  readonly ungate: readonly SchedulingGateRelease[];
  /** What is wrong, though nothing here can put it right. */
  readonly events: readonly KubernetesEvent[];
  readonly requeue: Requeue | undefined;
  /** Why nothing is done where nothing is, for the log. */
  readonly notes: readonly Note[];
}

/** Why a port stays as it is. */
export interface Note {
  readonly port: string;
  readonly rule: Rule;
  readonly why: string;
}

export interface PlanSetup {
  readonly profile: Profile;
  readonly activationStrategy: string;
  /** ms since the epoch */
  readonly now: number;
  readonly call: CallSoFar;
}

/** Facts older than this are read again before they are acted on. */
const MAX_FACTS_AGE_MS = 2_000;
/** How often a call writes the same again for a chassis to look again. */
const MAX_REPEATED = 5;
/** A chassis does not come back at once. */
const NO_CHASSIS_RETRY_MS = 5_000;

/** Whether what was read is too old to be acted on. */
export function isStale({ readAt }: Pick<Observation, 'readAt'>, now: number): boolean {
  return now - readAt > MAX_FACTS_AGE_MS;
}

/** What a function is to do after a look. */
export function plan(name: FunctionName, observed: Observation, setup: PlanSetup): Plan {
  const { facts, ports } = observed;
  const own = ports.filter(({ wanted }) => wanted.binding !== 'leave' && isPartOf(name, wanted));
  const { changes, events, requeue } = changesOf(own, observed, setup);
  const ungate = releasesOf(name, observed, changes, setup.profile);
  const told = [
    ...events,
    ...heldTooLong(facts, setup.now),
    ...whatIsWrong(observed, own),
    ...whatWasGivenUp(observed, setup.call),
  ];
  if (changes.length + ungate.length > 0 && isStale(observed, setup.now)) {
    const stale = again('the facts went stale before they were acted on');
    return { changes: [], ungate: [], events: told, requeue: stale, notes: [] };
  }
  const isClaimAwaited = own.some(({ port }) => {
    const row = changes.find((change) => change.port === port) ?? port;
    return claimOf(row, observed.southbound.bindings.get(port.name), setup.now) === 'awaited';
  });
  return {
    changes,
    ungate,
    events: told,
    requeue: requeue ?? requeueAfter(name, observed, { changes, ungate, isClaimAwaited }, setup.call),
    notes: ports.filter(({ port }) => !changes.some((change) => change.port === port)).map(noteOf),
  };
}

type Part = Pick<Plan, 'changes' | 'events' | 'requeue'>;

/** The changes that are this function's to make, as far as OVN allows them. */
function changesOf(own: readonly DesiredPort[], observed: Observation, setup: PlanSetup): Part {
  const { southbound } = observed;
  const missing = missingChassis(own, southbound);
  if (missing[0]) return { changes: [], events: missing, requeue: retry(missing[0].message, NO_CHASSIS_RETRY_MS) };

  const { activationStrategy } = setup;
  const chassis = new Map([...southbound.chassis].flatMap(([node, [one]]) => (one ? [[node, one.name]] : [])));
  const events: KubernetesEvent[] = [];
  const changes = own.flatMap(({ port, wanted }) => {
    const { addresses = [], activated = [] } = southbound.bindings.get(port.name) ?? {};
    let why: string | undefined;
    if (wanted.binding === 'dual' && wanted.isArmed && !isDual(port)) {
      const [target] = southbound.chassis.get(wanted.target)!;
      why = whyNotHeld(activationStrategy, addresses, target!.strategySupport);
      if (why) events.push(cannotBeHeld(port.name, wanted.target, activationStrategy, why));
    }
    const change = { chassis, activationStrategy, activated, whyNotHeld: why, now: new Date(setup.now) };
    return changeFor(port, wanted, change) ?? [];
  });
  const stillActivated = whyNotArmedYet(changes, southbound);
  if (stillActivated) return { changes: [], events, requeue: retry(stillActivated) };
  // All ports of a VM take the same way.
  const interim = changes.filter(({ isInterim }) => isInterim);
  const next = interim.length > 0 ? interim : claimsFirst(changes, own, observed, setup);
  return { changes: next, events, requeue: undefined };
}

/**
 * What a chassis was handed over and has not claimed is written again as it is, so that it looks again. Until all ports are
 * claimed no binding is taken off a guest: afterwards nothing would show that a claim was missed. What is left of a guest that is
 * gone holds nothing up: the next one under its name may be elsewhere.
 */
function claimsFirst(
  changes: readonly PortChange[],
  own: readonly DesiredPort[],
  { facts: { vmi }, southbound }: Observation,
  { now, call }: PlanSetup,
): readonly PortChange[] {
  const guests = own.filter(({ port }) => vmi?.final === false && recordOf(port.options)?.vmi === vmi.uid);
  if (guests.length === 0) return changes;
  const claims = guests.map(({ port, wanted }) => {
    return { port, wanted, claim: claimOf(port, southbound.bindings.get(port.name), now) };
  });
  const others = changes.filter(({ wanted }) => wanted.binding !== 'unbound');
  const isSettled = others.length === 0 && claims.every(({ claim }) => claim === 'settled');
  if (isSettled) return changes;
  if (call.repeated >= MAX_REPEATED) return others;
  const missed = claims.filter(
    ({ port, claim }) => claim === 'missed' && !others.some((change) => change.port === port),
  );
  return [...others, ...missed.map(({ port, wanted }) => repeated(port, wanted as Change, new Date(now)))];
}

function missingChassis(own: readonly DesiredPort[], { chassis }: SouthboundFacts): KubernetesEvent[] {
  const nodes = new Set(own.flatMap(({ wanted }) => nodesOf(wanted)));
  return [...nodes].flatMap((node) => {
    const found = chassis.get(node) ?? [];
    return found.length === 1
      ? []
      : [
          noChassis(
            node,
            found.map(({ name }) => name),
          ),
        ];
  });
}

/** While northd remembers an earlier activation it keeps it, and a target armed now would start open. */
function whyNotArmedYet(changes: readonly PortChange[], { bindings }: SouthboundFacts): string | undefined {
  for (const { port, options } of changes) {
    const activated = bindings.get(port.name)?.activated ?? [];
    if (options[ACTIVATION_STRATEGY] === undefined || activated.length === 0) continue;
    return `port ${port.name} is still marked as activated on ${activated.join(', ')}; ovn-northd has to forget that before it can be armed again`;
  }
  return undefined;
}

/** What people should know of a migration, though nothing can be done about it here. */
function whatIsWrong({ facts, ports, southbound }: Observation, own: readonly DesiredPort[]): KubernetesEvent[] {
  const { migration } = facts;
  const target = migration?.target;
  if (!target || target.ended || !isOurs({ ports })) return [];
  if (target.isOnSourceNode) return [targetOnSourceNode(target.pod, target.node!)];
  if (!migration.copying) return [];
  return own.flatMap(({ port, wanted }) => {
    if (wanted.binding !== 'dual' || !isDual(port)) return [];
    const chassis = southbound.chassis.get(wanted.target)?.[0];
    const binding = southbound.bindings.get(port.name);
    if (chassis === undefined || (binding && isClaimedBy(chassis.uuid, binding))) return [];
    return [notClaimed(port.name, wanted.target, chassis.name, migration.name)];
  });
}

function whatWasGivenUp(observed: Observation, { givenUpBy }: CallSoFar): KubernetesEvent[] {
  const { migration } = observed.facts;
  return givenUpBy !== undefined && migration && isOurs(observed) ? [eventGivenUp(givenUpBy, migration.name)] : [];
}

function noteOf({ port, wanted }: DesiredPort): Note {
  const { rule } = wanted;
  const whose =
    wanted.binding === 'leave' ? 'nothing is to be done' : `${wanted.binding} is ${wanted.step}'s step, or done`;
  return { port: port.name, rule, why: `port ${port.name}: rule ${rule}, ${RULES[rule]}: ${whose}` };
}
