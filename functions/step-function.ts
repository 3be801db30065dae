import { applied, nothingToDo } from 'knative-eventing-ts-sdk';
import type { FunctionName } from '../handover/decision/desired.ts';
import { type ReconcileResult, reconcile } from '../handover/reconcile.ts';
import { replyOf } from '../handover/reply.ts';
import { originOf, requestFrom } from '../handover/request.ts';
import { answering, type EventFunction } from './answering.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * VMs that a function looks at at once. With more of them the requests of each would wait for those of the others, and
 * its facts would go stale before it acts on them; so VMs wait whole, and what is told of one meanwhile becomes one look.
 */
const MAX_CONCURRENT_VMS = 16;

/** The part of one function in a hand-over: an event about a VM in, Knative's answer out. */
export function stepFunction(name: FunctionName): EventFunction {
  // An event says no more than "look": one look serves all events of a VM that came before it.
  const queue = new WorkQueue<ReconcileResult>(MAX_CONCURRENT_VMS);
  return answering(async (event, world, log) => {
    const about = requestFrom(event);
    if (about === undefined) return nothingToDo();
    const request = { ...about, event: originOf(event) };
    const { vmi } = request;
    const all = await world;
    const { result, own } = await queue.run(`${vmi.namespace}/${vmi.name}`, () => reconcile(name, request, all, log));
    const reply = own ? replyOf(name, result) : undefined;
    return reply ? applied(reply) : nothingToDo();
  });
}
