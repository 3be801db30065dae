import { applied, nothingToDo } from 'knative-eventing-ts-sdk';
import type { FunctionName } from '../handover/decision/desired.ts';
import { handOver, type Outcome } from '../handover/reconcile.ts';
import { replyOf } from '../handover/reply.ts';
import { occasionOf } from '../handover/request.ts';
import { answering, type EventFunction, tell } from './answering.ts';
import { SharedFlight } from './work-queue.ts';

/**
 * VMs that a function looks at at once. With more of them the requests of each would wait for those of the others, and
 * its facts would go stale before it acts on them; so VMs wait whole, and what is told of one meanwhile becomes one look.
 */
const MOST_LOOKS = 16;

/** The part of one function in a hand-over: an event about a VM in, Knative's answer out. */
export function stepFunction(name: FunctionName): EventFunction {
  // An event says no more than "look": one look serves all events of a VM that came before it.
  const looks = new SharedFlight<Outcome>(MOST_LOOKS);
  return answering(async (event, world, log) => {
    const occasion = occasionOf(event);
    if (occasion === undefined) return nothingToDo();
    const { vmi } = occasion;
    const all = await world;
    const { result, own } = await looks.run(`${vmi.namespace}/${vmi.name}`, async () => {
      const outcome = await handOver(name, occasion, all);
      await tell(name, outcome, all, log);
      return outcome;
    });
    if (!own) return nothingToDo();
    const reply = replyOf(name, result);
    return reply ? applied(reply) : nothingToDo();
  });
}
