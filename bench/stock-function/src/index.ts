import { CloudEvent } from 'cloudevents';
import type { Context } from 'faas-js-runtime';

/** Answers an event with its own data, as the template's function does. */
export async function handle(context: Context, event?: CloudEvent<unknown>): Promise<CloudEvent<unknown>> {
  if (event === undefined) {
    context.log.warn('no event received');
    return new CloudEvent({ source: 'function.eventViewer', type: 'error', data: 'no event received' });
  }
  return new CloudEvent({ source: 'function.eventViewer', type: 'echo', data: event.data });
}
