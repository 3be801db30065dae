import { type Answer, MalformedEventError, reject, tryAgain } from 'knative-eventing-ts-sdk';
import { TryAgainError } from '../handover/decision/errors.ts';
import type { Log } from '../handover/kubernetes/log.ts';
import type { World } from '../handover/observe.ts';

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
    log.warn({ result: 'rejected' }, `not an event of ours: ${error.message}`);
    return reject(error.statusCode, error.message);
  }
  // Whoever threw it has said so in the log, and of what.
  if (error instanceof TryAgainError) {
    return tryAgain(error.message, { retryAfterSeconds: error.retryAfterSeconds });
  }
  log.error({ result: 'error' }, `unexpected: ${error instanceof Error ? error.stack : error}`);
  return tryAgain('unexpected error, see the log of the function', { retryAfterSeconds: 5 });
}
