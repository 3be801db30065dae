import { misfit } from './decision/activation.ts';
import { desired, type FunctionName, type Step, sourceOnly } from './decision/desired.ts';
import { LookAgainError, TryAgainError } from './decision/errors.ts';
import { cannotBeHeld, notClaimed, type Remark } from './decision/events.ts';
import { type Facts, factsOf } from './decision/facts.ts';
import { type Admission, admission } from './decision/gates.ts';
import { portHintOf, sameHint } from './decision/hint.ts';
import { changeFor, isMade, nodesOf, type PortChange, type Verdict } from './decision/port.ts';
import type { Profile } from './decision/profile.ts';
import { recordOf } from './decision/record.ts';
import type { Kubernetes } from './kubernetes/kubernetes.ts';
import type { Northbound } from './ovn/northbound.ts';
import type { Chassis, PortBinding, Southbound } from './ovn/southbound.ts';
import type { Occasion } from './request.ts';

/** What a function works with: all that does I/O, and what differs between installations. */
export interface World {
  readonly northbound: Northbound;
  readonly southbound: Southbound;
  readonly kubernetes: Kubernetes;
  readonly profile: Profile;
  readonly activationStrategy: string;
}

/** What was true at one look, and the binding that each port should have by it. */
export interface Situation extends Occasion {
  readonly facts: Facts;
  readonly verdicts: readonly Verdict[];
  /** ms since the epoch, taken before the facts were read */
  readonly readAt: number;
}

/** What one call came to: the last look, and what was written on it. */
export interface Outcome {
  readonly situation: Situation;
  readonly changes: readonly PortChange[];
  /** The target pod that was made ready for the scheduler. */
  readonly admitted: Admission | undefined;
  /** What is wrong, though nothing here can put it right. */
  readonly warnings: readonly Remark[];
}

/** How often a row may be snatched away before the broker is asked to come again. */
const LOOKS = 5;
/** Facts older than this are read again before they are acted on. */
const SHELF_LIFE_MS = 2_000;

/**
 * One function's part of a hand-over: looks, decides, and makes the difference if it is this function's to make.
 * @throws TryAgainError for what is expected to pass
 */
export async function handOver(name: FunctionName, occasion: Occasion, world: World): Promise<Outcome> {
  let sent: readonly PortChange[] = [];
  let isCommitted = false;
  for (let look = 1; ; look++) {
    const situation = await lookAt(occasion, world);
    try {
      const { changes, refused } = await changesOf(name, situation, world);
      if (changes.length > 0) {
        [sent, isCommitted] = [changes, false];
        await world.northbound.commit(changes, comment(name, situation));
        isCommitted = true;
      }
      if (changes.some(isInterim)) throw new LookAgainError('pinned for this migration, to be armed next');
      if (changes.some(isFirst)) throw new LookAgainError('bound; its VM may have gone when nobody could see that yet');
      const made = isCommitted ? sent : committedAfterAll(sent, situation);
      const admitted = isPartOf(name, 'reuse-port') ? await admitTarget(name, situation, world) : undefined;
      const missing = isPartOf(name, 'enable-dual-chassis') ? await unclaimed(situation, refused, world) : [];
      return { situation, changes: made, admitted, warnings: [...refused.values(), ...missing] };
    } catch (error) {
      await warnOf(error, name, situation, world);
      if (!(error instanceof LookAgainError)) throw error;
      if (look === LOOKS) throw new TryAgainError(`${error.message}, ${LOOKS} times in a row`, { cause: error });
    }
  }
}

/**
 * The ports are read before the facts, and are written only if they still are what was read. So whoever decided on
 * newer facts in between makes the commit fail, and an old decision never overwrites a newer one.
 */
async function lookAt({ vmi, hint, recorded }: Occasion, world: World): Promise<Situation> {
  const ports = await world.northbound.portsOf(vmi, hint?.ports ?? recorded);
  const readAt = Date.now();
  const facts = factsOf(await world.kubernetes.objectsOf(vmi));
  // A migration is for all ports, also those that have no record yet.
  if (recorded !== undefined && facts.migration) return lookAt({ vmi, hint }, world);
  const target = facts.migration?.target?.pod;
  if (hint !== undefined && !sameHint(hint, target && portHintOf(target))) {
    // It is an earlier migration's, from before the VM got another interface perhaps.
    return lookAt({ vmi, hint: undefined }, world);
  }
  const verdicts = ports.map((port) => ({ port, wanted: desired(facts, recordOf(port.externalIds)) }));
  return { vmi, hint, facts, verdicts, readAt };
}

/** The changes that are this step's to make, as far as the southbound database allows them; why not, where it does not. */
async function changesOf(
  name: FunctionName,
  { verdicts, hint, readAt }: Situation,
  world: World,
): Promise<{ readonly changes: PortChange[]; readonly refused: ReadonlyMap<string, Remark> }> {
  const mine = verdicts.filter(({ wanted }) => wanted.binding !== 'leave' && isPartOf(name, wanted.step));
  const chassis = await world.southbound.chassisOf([...new Set(mine.flatMap(({ wanted }) => nodesOf(wanted)))]);
  const names = new Map([...chassis].map(([node, { name }]) => [node, name]));
  const setup = { chassis: names, activationStrategy: world.activationStrategy, now: new Date() };
  const wished = mine.flatMap(({ port, wanted }) => changeFor(port, wanted, setup) ?? []);

  const refused = await refusalsOf(wished, chassis, hint?.bindings, world);
  if (Date.now() - readAt > SHELF_LIFE_MS) throw new LookAgainError('the facts went stale before they were acted on');
  const changes = wished.flatMap((change) => {
    const { port, wanted } = change;
    return wanted.binding === 'dual' && refused.has(port.name)
      ? (changeFor(port, sourceOnly(wanted), setup) ?? [])
      : change;
  });
  return { changes, refused };
}

/** A warning for each port that would be armed and that its target could not hold, by the port's name. */
async function refusalsOf(
  changes: readonly PortChange[],
  chassis: ReadonlyMap<string, Chassis>,
  hint: readonly string[] | undefined,
  { southbound, activationStrategy }: World,
): Promise<ReadonlyMap<string, Remark>> {
  const arming = changes.flatMap(({ port, wanted }) =>
    wanted.binding === 'dual' ? [{ port: port.name, node: wanted.target }] : [],
  );
  if (arming.length === 0) return new Map();
  const names = arming.map(({ port }) => port);
  const bindings = await southbound.bindingsOf(names, hint);
  refuseIfActivated(bindings);
  return new Map(
    arming.flatMap(({ port, node }) => {
      const addresses = bindings.find((binding) => binding.port === port)?.addresses ?? [];
      const why = misfit(activationStrategy, addresses, chassis.get(node)!.strategySupport);
      return why === undefined ? [] : [[port, cannotBeHeld(port, node, activationStrategy, why)]];
    }),
  );
}

/** What is left of a VM that is gone, whoever comes across it takes away: the events of its end may all have been. */
function isPartOf(name: FunctionName, step: Step): boolean {
  return name === 'reconcile' || name === step || step === 'release-port';
}

/** On the way to a dual binding: the row had to tell of this migration, and of no other target, first. */
function isInterim({ wanted }: PortChange): boolean {
  return wanted.rule === '3b' && wanted.binding === 'pinned';
}

/** A port gets its first record: a VM that went since the facts were read had none that would have been taken away. */
function isFirst({ port }: PortChange): boolean {
  return recordOf(port.externalIds) === undefined;
}

/** While northd remembers an earlier activation it keeps it, and a target armed now would start open. */
function refuseIfActivated(bindings: readonly PortBinding[]): void {
  const open = bindings.find(({ activated }) => activated.length > 0);
  if (open) {
    throw new TryAgainError(
      `port ${open.port} is still marked as activated on ${open.activated.join(', ')}; ovn-northd has to forget that before it can be armed again`,
    );
  }
}

async function admitTarget(
  name: FunctionName,
  { vmi, facts, verdicts, hint }: Situation,
  world: World,
): Promise<Admission | undefined> {
  const isOwn = (step: Step) => isPartOf(name, step);
  const bindings = () =>
    world.southbound.bindingsOf(
      verdicts.map(({ port }) => port.name),
      hint?.bindings,
    );
  const admitted = await admission({ vmi, facts, verdicts, isOwn, bindings, profile: world.profile });
  if (admitted) await world.kubernetes.admit(admitted.pod, admitted.annotations);
  return admitted;
}

/** Ports that are dual while memory is copied already, and that the target's chassis has not claimed. */
async function unclaimed(
  { facts, verdicts, hint }: Situation,
  refused: ReadonlyMap<string, Remark>,
  world: World,
): Promise<Remark[]> {
  const { migration } = facts;
  const dual = verdicts.flatMap(({ port, wanted }) =>
    wanted.binding === 'dual' && !refused.has(port.name) ? [{ port: port.name, wanted }] : [],
  );
  if (!migration?.copying || dual.length === 0) return [];
  const chassis = await world.southbound.chassisOf([...new Set(dual.map(({ wanted }) => wanted.target))]);
  const claims = await world.southbound.claimsOf(
    dual.map(({ port }) => port),
    hint?.bindings,
  );
  return dual.flatMap(({ port, wanted }) => {
    const target = chassis.get(wanted.target)!.name;
    return claims.get(port)?.includes(target) ? [] : [notClaimed(port, wanted.target, target, migration.name)];
  });
}

/** Where somebody may have to help, the VMI says so; the answer to the broker says only that it is to come again. */
async function warnOf(error: unknown, name: FunctionName, { vmi, facts }: Situation, world: World): Promise<void> {
  if (!(error instanceof TryAgainError) || error.warning === undefined || facts.vmi === undefined) return;
  const warning = { type: 'Warning', reason: error.warning, message: error.message } as const;
  await world.kubernetes.remark({ ...vmi, uid: facts.vmi.uid }, name, warning).catch(() => {});
}

function committedAfterAll(sent: readonly PortChange[], { verdicts }: Situation): readonly PortChange[] {
  return sent.filter((change) => verdicts.some(({ port }) => isMade(change, port)));
}

/** Goes to the transaction log of OVN northbound, where `ovsdb-tool show-log` tells the story. */
function comment(name: FunctionName, { vmi, facts, verdicts }: Situation): string {
  const migration = facts.migration ? `VMIM ${facts.migration.name} ${facts.migration.uid}` : 'no VMIM';
  const rules = [...new Set(verdicts.map(({ wanted }) => wanted.rule))].join(',');
  return `ovn-handover ${name}: VMI ${vmi.namespace}/${vmi.name} ${facts.vmi?.uid ?? 'gone'}, ${migration}, rule ${rules}`;
}
