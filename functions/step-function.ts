import { type Answer, applied, MalformedEventError, nothingToDo, refuse, tryAgain } from 'knative-eventing-ts-sdk';
import type { Step } from '../handover/desired.ts';
import { TryAgainError } from '../handover/errors.ts';
import { occasionOf } from '../handover/event.ts';
import { handOver, type Outcome, type World } from '../handover/handover.ts';
import { remarksOf } from '../handover/remark.ts';
import { replyOf } from '../handover/reply.ts';
import { SharedFlight } from './shared-flight.ts';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Answers one event; never throws, because the runtime would make an answer of its own out of an error. */
export type StepFunction = (event: unknown, world: Promise<World>, log: Log) => Promise<Answer>;

/** The function of one step: an event in, Knative's answer out. */
export function stepFunction(step: Step): StepFunction {
  // An event says no more than "look": one look serves all events of a VM that came before it.
  const looks = new SharedFlight<Outcome>();
  return async (event, world, log) => {
    try {
      const occasion = occasionOf(event);
      if (occasion === undefined) return nothingToDo();
      const { namespace, name } = occasion.vmi;
      const all = await world;
      const { result, own } = await looks.run(`${namespace}/${name}`, () => handOver(step, occasion, all));
      if (!own) return nothingToDo();
      await remark(step, result, all, log);
      const reply = replyOf(step, result);
      return reply ? applied(reply) : nothingToDo();
    } catch (error) {
      return answerTo(error, log);
    }
  };
}

function answerTo(error: unknown, log: Log): Answer {
  if (error instanceof MalformedEventError) {
    log.warn(`refused an event: ${error.message}`);
    return refuse(error.statusCode, error.message);
  }
  if (error instanceof TryAgainError) {
    log.warn(error.message);
    return tryAgain(error.message, { retryAfterSeconds: error.retryAfterSeconds });
  }
  log.error(`unexpected: ${error instanceof Error ? error.stack : error}`);
  return tryAgain('unexpected error, see the log of the function', { retryAfterSeconds: 5 });
}

/** Tells the story on the VMI. A line that cannot be written must not undo or repeat what was done. */
async function remark(step: Step, { situation, changes, admitted }: Outcome, world: World, log: Log): Promise<void> {
  const { vmi, facts } = situation;
  const remarks = [...changes.flatMap((change) => remarksOf(change, facts)), ...(admitted?.remarks ?? [])];
  for (const line of remarks) {
    log[line.type === 'Warning' ? 'warn' : 'info'](line.message);
    if (facts.vmi === undefined) continue;
    await world.kubernetes.remark({ ...vmi, uid: facts.vmi.uid }, step, line).catch((error) => log.warn(error.message));
  }
}
