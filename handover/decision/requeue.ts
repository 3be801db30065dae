import { CLAIM_MS } from './claim.ts';
import type { FunctionName } from './desired.ts';
import { isBound, isOurs, type SchedulingGateRelease, waitingTarget } from './gates.ts';
import { DUAL_GATE } from './kubevirt.ts';
import type { Observation } from './observation.ts';
import { isBoundFor, type PortChange } from './port.ts';
import { recordOf } from './record.ts';

/** A further look is needed: in the same call, or in another one that the broker brings. */
export interface Requeue {
  readonly by: 'function' | 'broker';
  readonly afterMs: number;
  readonly why: string;
}

/** What happened in a call before a look. */
export interface CallSoFar {
  readonly elapsedMs: number;
  /** It has taken the last gate off the target. */
  readonly hasLetGo: boolean;
  /** How many ports it has written once more as they were. */
  readonly repeated: number;
  /** It was woken by the deletion of a launcher pod. */
  readonly isPodDeletion: boolean;
  /** Who did not take the event that woke it, so that a broker brought it here. */
  readonly givenUpBy?: string | undefined;
}

/** For how long a function stays with a target that it let go, until that has a node and its ports can be made dual. */
const MAX_STAY_MS = 5_000;
const STAY_INTERVAL_MS = 100;
/** Kube-OVN takes the binding off a moment after a launcher pod was deleted; we may have looked before that. */
const LOOKS_AFTER_DELETION_MS = [500, 2_000];

/** Whether there is more to do after what a look has led to. */
export function requeueAfter(
  name: FunctionName,
  observed: Observation,
  done: {
    readonly changes: readonly PortChange[];
    readonly ungate: readonly SchedulingGateRelease[];
    readonly isClaimAwaited: boolean;
  },
  call: CallSoFar,
): Requeue | undefined {
  const { vmi, migration } = observed.facts;
  if (migration === undefined) {
    const rows = observed.ports.map(({ port }) => done.changes.find((change) => change.port === port) ?? port);
    const mayBeReleased = vmi?.isAlone && done.changes.some(({ wanted }) => wanted.binding === 'pinned');
    return (
      claimed(done) ??
      (mayBeReleased ? again('bound to the chassis of the guest for a moment, to be released next') : undefined) ??
      (rows.some(({ options }) => recordOf(options) !== undefined) ? afterDeletion(call) : undefined)
    );
  }
  if (done.changes.some(({ isInterim }) => isInterim)) {
    return again('bound to the source alone for a moment, to be armed next');
  }
  if (done.changes.some(({ port }) => !isBoundFor(migration.uid, port))) {
    return again('the migration may have ended, or its VM gone, when no row could show that yet');
  }
  const target = waitingTarget(observed.facts) && isOurs(observed);
  const isOverdue =
    name === 'reuse-port' || name === 'reconcile' || (name === 'enable-dual-chassis' && isStripped(observed));
  if (target && !isBound(observed, done.changes) && isOverdue) {
    return retry(`the ports of the VMI are not yet bound for migration ${migration.name}`);
  }
  const hasLetGo = call.hasLetGo || done.ungate.some(({ gates }) => gates.includes(DUAL_GATE));
  if (target && hasLetGo && call.elapsedMs < MAX_STAY_MS && migration.target?.node === undefined) {
    return again('the target was let go, and has no node yet to be dual for', STAY_INTERVAL_MS);
  }
  return claimed(done) ?? afterDeletion(call);
}

function claimed({ isClaimAwaited }: { readonly isClaimAwaited: boolean }): Requeue | undefined {
  return isClaimAwaited ? again('the chassis may not have claimed yet what it was handed over', CLAIM_MS) : undefined;
}

function afterDeletion({ isPodDeletion, elapsedMs }: CallSoFar): Requeue | undefined {
  const next = LOOKS_AFTER_DELETION_MS.find((ms) => ms > elapsedMs);
  if (!isPodDeletion || next === undefined) return undefined;
  return again('a launcher pod was deleted, and Kube-OVN may take the binding off', next - elapsedMs);
}

/** Whether somebody took a binding off that was made for the migration: the event that brought us may be the last. */
function isStripped({ facts, ports }: Observation): boolean {
  return ports.some(
    ({ port }) => recordOf(port.options)?.migration === facts.migration?.uid && !isBoundFor(facts.migration!.uid, port),
  );
}

/** Another look in the same call. */
export function again(why: string, afterMs = 0): Requeue {
  return { by: 'function', afterMs, why };
}

/** Another call, which the broker makes. */
export function retry(why: string, afterMs = 1_000): Requeue {
  return { by: 'broker', afterMs, why };
}
