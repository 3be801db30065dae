import { applied, nothingToDo } from 'knative-eventing-ts-sdk';
import type { Step } from '../handover/desired.ts';
import { occasionOf } from '../handover/event.ts';
import { handOver, type Outcome } from '../handover/handover.ts';
import { replyOf } from '../handover/reply.ts';
import { answering, type EventFunction, tell } from './answering.ts';
import { SharedFlight } from './shared-flight.ts';

/** The function of one step: an event in, Knative's answer out. */
export function stepFunction(step: Step): EventFunction {
  // An event says no more than "look": one look serves all events of a VM that came before it.
  const looks = new SharedFlight<Outcome>();
  return answering(async (event, world, log) => {
    const occasion = occasionOf(event);
    if (occasion === undefined) return nothingToDo();
    const { namespace, name } = occasion.vmi;
    const all = await world;
    const { result, own } = await looks.run(`${namespace}/${name}`, () => handOver(step, occasion, all));
    if (!own) return nothingToDo();
    await tell(step, result, all, log);
    const reply = replyOf(step, result);
    return reply ? applied(reply) : nothingToDo();
  });
}
