import { type ApiServerEvent, objectAt, parseApiServerEvent, stringAt } from './api-server-event.ts';

/**
 * Which object it is; neither its uid nor its resourceVersion.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.ref.add',
 *   data: { apiVersion: 'v1', kind: 'Node', name: 'node-1', namespace: '' },
 * };
 * const reference: ObjectReference = parseReferenceEvent(event).reference;
 * reference.namespace; // => undefined
 * ```
 */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for an object of the whole cluster. */
  readonly namespace: string | undefined;
}

/**
 * An event of an ApiServerSource in Reference mode, which is the default.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.ref.update',
 *   data: { apiVersion: 'v1', kind: 'Pod', name: 'web-01', namespace: 'shop' },
 * };
 * const { action, reference }: ReferenceEvent = parseReferenceEvent(event);
 * [action, reference.name]; // => ['update', 'web-01']
 * ```
 */
export interface ReferenceEvent extends ApiServerEvent {
  readonly reference: ObjectReference;
}

/**
 * Reads an ApiServerSource event in Reference mode.
 *
 * @param event - The CloudEvent as the function runtime, or `eventOf`, hands it over.
 * @throws MalformedEventError with status 400 for what is no CloudEvent, 422 for another kind of CloudEvent.
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.ref.add',
 *   data: { apiVersion: 'v1', kind: 'Pod', name: 'web-01', namespace: 'shop' },
 * };
 * parseReferenceEvent(event).reference.kind; // => 'Pod'
 * ```
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
