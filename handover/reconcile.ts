import type { FunctionName } from './decision/desired.ts';
import { LookAgainError, OutcomeUnknownError, TryAgainError } from './decision/errors.ts';
import { eventsOf, type KubernetesEvent, sideEffectsOf } from './decision/events.ts';
import type { Facts } from './decision/facts.ts';
import type { SchedulingGateRelease } from './decision/gates.ts';
import {
  historyOfChanges,
  historyOfEvents,
  historyOfRelease,
  historySeen,
  type Looker,
  migrationOf,
} from './decision/history.ts';
import { DUAL_GATE, type ObjectMeta, type VmiReference } from './decision/kubevirt.ts';
import type { Observation } from './decision/observation.ts';
import { isStale, type Plan, plan } from './decision/plan.ts';
import { carriesChange, isRepeated, type PortChange } from './decision/port.ts';
import { again, type Requeue } from './decision/requeue.ts';
import { EventRecorder } from './kubernetes/event-recorder.ts';
import { HistoryRecorder } from './kubernetes/history-recorder.ts';
import { type Log, logWith } from './kubernetes/log.ts';
import { observe, type World } from './observe.ts';
import type { ReconcileRequest } from './request.ts';

/** What one call came to. */
export interface ReconcileResult {
  readonly vmi: VmiReference;
  /** Those of the last look. */
  readonly facts: Facts;
  /** Everything that was committed, in the order in which it was. */
  readonly changes: readonly PortChange[];
  readonly ungated: readonly SchedulingGateRelease[];
}

/** How often a row may be snatched away before the broker is asked to come again. */
const MAX_ATTEMPTS = 5;

/**
 * One function's part of a hand-over: observes, plans, and makes the difference if it is this function's to make.
 * @throws TryAgainError for what is expected to pass
 */
export async function reconcile(
  name: FunctionName,
  request: ReconcileRequest,
  world: World,
  log: Log,
): Promise<ReconcileResult> {
  return await new Call(name, request, world, log).run();
}

/** Looks, and acts on what it sees, until there is nothing more to do. */
class Call {
  readonly #name: FunctionName;
  readonly #request: ReconcileRequest;
  readonly #world: World;
  readonly #log: Log;
  readonly #recorder: EventRecorder;
  readonly #history: HistoryRecorder;
  readonly #looker: Looker;
  readonly #changes: PortChange[] = [];
  readonly #ungated: SchedulingGateRelease[] = [];
  /** Sent, and not known to count. */
  #unconfirmed: readonly PortChange[] = [];
  #attempts = 0;
  /** At the latest look. */
  #observed: Observation | undefined;

  constructor(name: FunctionName, request: ReconcileRequest, world: World, log: Log) {
    this.#name = name;
    this.#request = request;
    this.#world = world;
    const { vmi, event } = request;
    this.#log = logWith(log, {
      function: name,
      vmi: `${vmi.namespace}/${vmi.name}`,
      ...(event && { event: event.id }),
      ...(event?.traceparent && { traceparent: event.traceparent }),
    });
    this.#recorder = new EventRecorder(world.kubernetes, name, this.#log);
    this.#history = new HistoryRecorder(world.kubernetes, this.#log);
    this.#looker = { name, startedAt: Date.now(), event: request.event };
  }

  async run(): Promise<ReconcileResult> {
    try {
      return await this.#lookUntilDone();
    } catch (error) {
      this.#logFailure(error as Error);
      throw error;
    } finally {
      await this.#history.write();
    }
  }

  async #lookUntilDone(): Promise<ReconcileResult> {
    for (;;) {
      const observed = await observe(this.#name, this.#request, this.#world);
      this.#observed = observed;
      const requeue = await this.#actOn(observed);
      if (requeue === undefined) {
        return { vmi: observed.vmi, facts: observed.facts, changes: this.#changes, ungated: this.#ungated };
      }
      const { by, why, afterMs } = requeue;
      if (by === 'broker') throw new TryAgainError(why, { retryAfterSeconds: afterMs / 1_000 });
      if (afterMs === 0 && ++this.#attempts === MAX_ATTEMPTS) {
        throw new TryAgainError(`${why}, ${MAX_ATTEMPTS} times in a row`);
      }
      this.#log.debug({ vmim: vmimOf(observed)?.name, result: 'again' }, `${why}: looking again in ${afterMs} ms`);
      if (afterMs > 0) await this.#world.sleep(afterMs);
    }
  }

  async #actOn(observed: Observation): Promise<Requeue | undefined> {
    await this.#committed(confirmCommitted(this.#unconfirmed, observed), observed);
    this.#unconfirmed = [];
    this.#history.add(historySeen(this.#looker, observed));
    const next = this.#plan(observed);
    const vmim = vmimOf(observed)?.name;
    for (const { port, rule, why } of next.notes) this.#log.debug({ vmim, port, rule, result: 'nothing' }, why);
    try {
      await this.#commit(next.changes, observed);
      // To say what was committed takes requests, and meanwhile somebody may strip the port.
      if (next.ungate.length > 0 && isStale(observed, Date.now()))
        return again('the facts went stale before the target was let go');
      await this.#ungate(next.ungate, observed);
    } catch (error) {
      if (!(error instanceof LookAgainError)) throw error;
      if (!(error instanceof OutcomeUnknownError)) this.#unconfirmed = [];
      return again(error.message);
    }
    await this.#record(next.events, observed);
    return next.requeue;
  }

  #logFailure(error: Error): void {
    const observed = this.#observed;
    const fields = observed && { vmim: vmimOf(observed)?.name, rule: rulesOf(observed) };
    if (error instanceof TryAgainError) this.#log.warn({ ...fields, result: 'retry' }, error.message);
    else this.#log.error({ ...fields, result: 'error' }, String(error.stack));
  }

  #plan(observed: Observation): Plan {
    const { profile, activationStrategy } = this.#world;
    const now = Date.now();
    const call = {
      elapsedMs: now - this.#looker.startedAt,
      hasLetGo: this.#ungated.some(({ gates }) => gates.includes(DUAL_GATE)),
      repeated: this.#changes.filter(isRepeated).length,
      isPodDeletion: this.#request.isPodDeletion === true,
      givenUpBy: this.#request.event?.givenUpBy,
    };
    return plan(this.#name, observed, { profile, activationStrategy, now, call });
  }

  async #commit(changes: readonly PortChange[], observed: Observation): Promise<void> {
    if (changes.length === 0) return;
    this.#unconfirmed = changes;
    await this.#world.northbound.commit(changes, comment(this.#name, observed));
    this.#unconfirmed = [];
    await this.#committed(changes, observed);
  }

  /** What was committed is recorded at once: what fails afterwards does not unsay it. */
  async #committed(changes: readonly PortChange[], observed: Observation): Promise<void> {
    if (changes.length === 0) return;
    this.#changes.push(...changes);
    this.#history.add(historyOfChanges(this.#looker, observed, changes, Date.now()));
    const events = changes.flatMap((change) => {
      const [first, ...more] = eventsOf(change, observed.facts);
      const { port, wanted } = change;
      const fields = { vmim: vmimOf(observed)?.name, port: port.name, rule: wanted.rule, result: wanted.binding };
      this.#log.info(fields, first.message);
      return [first, ...more];
    });
    await this.#record(events, observed);
    const dual = changes.filter(({ wanted }) => wanted.binding === 'dual').map(({ port }) => port.name);
    if (dual.length === 0) return;
    const effects = await this.#world.southbound.sideEffects(dual).catch((error: Error) => {
      this.#log.warn({ vmim: vmimOf(observed)?.name }, error.message);
      return [];
    });
    await this.#record(effects.flatMap(sideEffectsOf), observed);
  }

  async #ungate(releases: readonly SchedulingGateRelease[], observed: Observation): Promise<void> {
    for (const release of releases) {
      await this.#world.kubernetes.ungate(release);
      this.#ungated.push(release);
      this.#history.add(historyOfRelease(this.#looker, observed, release, Date.now()));
      const { pod, gates } = release;
      const { name } = pod.metadata;
      if (gates.length > 0) {
        const fields = { vmim: vmimOf(observed)?.name, pod: name, result: 'ungated' };
        this.#log.info(fields, `Pod ${name} was let off ${gates.join(' and ')}.`);
      }
      await this.#record(release.events, observed);
    }
  }

  #record(events: readonly KubernetesEvent[], observed: Observation): Promise<void> {
    this.#history.add(historyOfEvents(observed, events, Date.now()));
    const { vmi, facts } = observed;
    return this.#recorder.record(events, { vmi, uid: facts.vmi?.uid, migration: vmimOf(observed) });
  }
}

/** The VMIM that a look is about, unless it is gone. */
function vmimOf(observed: Observation): ObjectMeta | undefined {
  const uid = migrationOf(observed);
  return observed.migrations.find(({ metadata }) => metadata.uid === uid)?.metadata;
}

function confirmCommitted(sent: readonly PortChange[], { ports }: Observation): readonly PortChange[] {
  return sent.filter((change) => ports.some(({ port }) => carriesChange(change, port)));
}

/** Goes to the transaction log of OVN northbound, where `ovsdb-tool show-log` shows the story. */
function comment(name: FunctionName, observed: Observation): string {
  const { vmi, facts } = observed;
  const migration = facts.migration ? `VMIM ${facts.migration.name} ${facts.migration.uid}` : 'no VMIM';
  const rules = rulesOf(observed);
  return `ovn-handover ${name}: VMI ${vmi.namespace}/${vmi.name} ${facts.vmi?.uid ?? 'gone'}, ${migration}, rule ${rules}`;
}

function rulesOf({ ports }: Observation): string {
  return [...new Set(ports.map(({ wanted }) => wanted.rule))].join(',');
}
