import { type Answer, MalformedEventError, refuse, tryAgain } from 'knative-eventing-ts-sdk';
import type { FunctionName } from '../handover/decision/desired.ts';
import { TryAgainError } from '../handover/decision/errors.ts';
import { remarksOf } from '../handover/decision/events.ts';
import type { Outcome, World } from '../handover/reconcile.ts';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Answers one event; never throws, because the runtime would make an answer of its own out of an error. */
export type EventFunction = (event: unknown, world: Promise<World>, log: Log) => Promise<Answer>;

/** Makes an answer of everything that `work` may throw. */
export function answering(work: EventFunction): EventFunction {
  return async (event, world, log) => {
    try {
      return await work(event, world, log);
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
export async function tell(
  name: FunctionName,
  { situation, changes, admitted, warnings }: Outcome,
  world: World,
  log: Log,
): Promise<void> {
  const { vmi, facts } = situation;
  const remarks = [...changes.flatMap((change) => remarksOf(change, facts)), ...(admitted?.remarks ?? []), ...warnings];
  for (const line of remarks) {
    log[line.type === 'Warning' ? 'warn' : 'info'](line.message);
    if (facts.vmi === undefined) continue;
    await world.kubernetes.remark({ ...vmi, uid: facts.vmi.uid }, name, line).catch((error) => log.warn(error.message));
  }
}
