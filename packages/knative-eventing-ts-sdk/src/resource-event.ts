import { type ApiServerEvent, objectAt, parseApiServerEvent, stringAt } from './api-server-event.ts';

/**
 * A Kubernetes object as an event carries it; only what is typed here has been checked.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.resource.add',
 *   data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'shop' } },
 * };
 * const { metadata }: ResourceObject = parseResourceEvent(event).object;
 * metadata.name; // => 'web-01'
 * ```
 */
export interface ResourceObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/**
 * An event of an ApiServerSource in Resource mode.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.resource.update',
 *   data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'shop' } },
 * };
 * const { action, object }: ResourceEvent = parseResourceEvent(event);
 * [action, object.kind]; // => ['update', 'Pod']
 * ```
 */
export interface ResourceEvent extends ApiServerEvent {
  /** The whole object as it was when the source saw the change; it may be out of date by now. */
  readonly object: ResourceObject;
}

/**
 * Reads an ApiServerSource event in Resource mode.
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
 *   type: 'dev.knative.apiserver.resource.add',
 *   data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'shop' } },
 * };
 * parseResourceEvent(event).object.metadata.namespace; // => 'shop'
 * ```
 */
export function parseResourceEvent(event: unknown): ResourceEvent {
  const { event: common, data } = parseApiServerEvent(event, 'resource');
  return { ...common, object: parseObject(data) };
}

function parseObject(data: unknown): ResourceObject {
  const object = objectAt(data, '/data');
  const metadata = objectAt(object.metadata, '/data/metadata');
  stringAt(object.apiVersion, '/data/apiVersion');
  stringAt(object.kind, '/data/kind');
  stringAt(metadata.name, '/data/metadata/name');
  const { namespace = '' } = metadata;
  if (namespace !== '') stringAt(namespace, '/data/metadata/namespace');
  return object as unknown as ResourceObject;
}
