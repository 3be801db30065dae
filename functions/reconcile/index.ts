import { applied, nothingToDo, parsePingEvent } from 'knative-eventing-ts-sdk';
import { sweepReply } from '../../handover/reply.ts';
import { resync } from '../../handover/resync.ts';
import { answering, type EventFunction } from '../answering.ts';
import { stepFunction } from '../step-function.ts';

const sweep = answering(async (event, world, log) => {
  const { id } = parsePingEvent(event);
  const fields = { function: 'reconcile', event: id };
  const summary = await resync(await world, log).catch((error: Error) => {
    log.warn({ ...fields, result: 'retry' }, error.message);
    throw error;
  });
  const { looked, changed, failed } = summary;
  const message = `looked at ${looked} VMs, changed ${changed.length}, failed on ${failed.length}`;
  log.info({ ...fields, result: 'swept' }, message);
  return summary.changed.length + summary.failed.length > 0 ? applied(sweepReply(summary)) : nothingToDo();
});

/** Puts right what an event that was lost or given up, a function that died, or another controller left behind. */
export function reconcileFunction(): EventFunction {
  /** An event about one VM: a launcher pod that was deleted, or what another function gave up (its dead letter sink). */
  const oneVm = stepFunction('reconcile');
  return (event, world, log) => {
    const { type } = Object(event);
    return (String(type).startsWith('dev.knative.apiserver.') ? oneVm : sweep)(event, world, log);
  };
}

export default reconcileFunction();
