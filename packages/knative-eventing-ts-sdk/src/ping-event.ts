import { nameOf, parseEnvelope } from './cloud-event.ts';
import { MalformedEventError } from './malformed-event-error.ts';

/**
 * A tick of a PingSource.
 *
 * @see [Knative, PingSource](https://knative.dev/docs/eventing/sources/ping-source/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.sources.ping',
 *   data: { sweep: true },
 * };
 * const { data }: PingEvent = parsePingEvent(event);
 * data; // => { sweep: true }
 * ```
 */
export interface PingEvent {
  readonly id: string;
  /** Path of the PingSource, e.g. `/apis/v1/namespaces/ovn-handover/pingsources/reconcile`. */
  readonly source: string;
  /** The PingSource's `data`, if it has any. */
  readonly data: unknown;
}

/**
 * Reads a PingSource event.
 *
 * @param event - The CloudEvent as the function runtime hands it over.
 * @throws MalformedEventError with status 400 for what is no CloudEvent, 422 for another kind of CloudEvent.
 * @see [Knative, PingSource](https://knative.dev/docs/eventing/sources/ping-source/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.sources.ping',
 *   data: { sweep: true },
 * };
 * parsePingEvent(event); // => { id: '1', source: 'https://10.96.0.1:443', data: { sweep: true } }
 * ```
 */
export function parsePingEvent(event: unknown): PingEvent {
  const { id, source, type, data } = parseEnvelope(event);
  if (type !== 'dev.knative.sources.ping') {
    throw new MalformedEventError(422, '/type', `expected dev.knative.sources.ping, got ${nameOf(type)}`);
  }
  return { id, source, data };
}
