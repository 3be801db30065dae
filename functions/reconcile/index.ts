import { applied, nothingToDo, parsePingEvent } from 'knative-eventing-ts-sdk';
import { sweepReply } from '../../handover/reply.ts';
import { resync } from '../../handover/resync.ts';
import { answering, type EventFunction } from '../answering.ts';
import { stepFunction } from '../step-function.ts';

const sweep = answering(async (event, world, log) => {
  const { id } = parsePingEvent(event);
  const summary = await resync(await world, log);
  const { looked, changed, failed } = summary;
  for (const { namespace, name, why } of failed) log.warn(`VMI ${namespace}/${name}: ${why}`);
  // The event is named for whoever sent it to see whether the way is whole (cli/doctor/probe.ts).
  log.info(`event ${id}: looked at ${looked} VMs, changed ${changed.length}, failed on ${failed.length}`);
  return changed.length + failed.length > 0 ? applied(sweepReply(summary)) : nothingToDo();
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
