import { applied, nothingToDo, parsePingEvent } from 'knative-eventing-ts-sdk';
import { sweepReply } from '../../handover/reply.ts';
import { reconcile } from '../../handover/resync.ts';
import { answering, type EventFunction, tell } from '../answering.ts';
import { stepFunction } from '../step-function.ts';

/** An event about one VM, which a Trigger's dead letter sink brings after the function that it was for gave it up. */
const givenUp = stepFunction('reconcile');

const sweep = answering(async (event, world, log) => {
  parsePingEvent(event);
  const all = await world;
  const summary = await reconcile(all, (outcome) => tell('reconcile', outcome, all, log));
  for (const { namespace, name, why } of summary.failed) log.warn(`VMI ${namespace}/${name}: ${why}`);
  log.info(`looked at ${summary.looked} VMs, changed ${summary.changed.length}, failed on ${summary.failed.length}`);
  return summary.changed.length + summary.failed.length > 0 ? applied(sweepReply(summary)) : nothingToDo();
});

/** Puts right what an event that was lost or given up, or a function that died, left behind. */
const wholeOrOne: EventFunction = (event, world, log) => {
  const { type } = Object(event);
  return (String(type).startsWith('dev.knative.apiserver.') ? givenUp : sweep)(event, world, log);
};
export default wholeOrOne;
