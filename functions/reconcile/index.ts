import { applied, nothingToDo, parsePingEvent } from 'knative-eventing-ts-sdk';
import { reconcile } from '../../handover/reconcile.ts';
import { sweepReply } from '../../handover/reply.ts';
import { answering, tell } from '../answering.ts';

/** Puts right what an event that was lost, or a function that died, left behind. */
export default answering(async (event, world, log) => {
  parsePingEvent(event);
  const all = await world;
  const summary = await reconcile(all, (outcome) => tell('reconcile', outcome, all, log));
  for (const { namespace, name, why } of summary.failed) log.warn(`VMI ${namespace}/${name}: ${why}`);
  log.info(`looked at ${summary.looked} VMs, changed ${summary.changed.length}, failed on ${summary.failed.length}`);
  return summary.changed.length + summary.failed.length > 0 ? applied(sweepReply(summary)) : nothingToDo();
});
