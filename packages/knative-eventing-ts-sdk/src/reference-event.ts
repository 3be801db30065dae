import { type ApiServerEvent, objectAt, parseApiServerEvent, stringAt } from './api-server-event.ts';

/** Which object it is; neither its uid nor its resourceVersion. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for an object of the whole cluster. */
  readonly namespace: string | undefined;
}

/** An event of an ApiServerSource in Reference mode, which is the default. */
export interface ReferenceEvent extends ApiServerEvent {
  readonly reference: ObjectReference;
}

/**
 * Reads an ApiServerSource event in Reference mode.
 *
 * @param event - The CloudEvent as the function runtime, or `eventOf`, hands it over.
 * @throws MalformedEventError with status 400 for what is no CloudEvent, 422 for another kind of CloudEvent.
 */
export function parseReferenceEvent(event: unknown): ReferenceEvent {
  const { event: common, data } = parseApiServerEvent(event, 'ref');
  const { apiVersion, kind, name, namespace } = objectAt(data, '/data');
  return {
    ...common,
    reference: {
      apiVersion: stringAt(apiVersion, '/data/apiVersion'),
      kind: stringAt(kind, '/data/kind'),
      name: stringAt(name, '/data/name'),
      // The adapter writes an empty namespace for an object of the whole cluster.
      namespace: namespace === undefined || namespace === '' ? undefined : stringAt(namespace, '/data/namespace'),
    },
  };
}
