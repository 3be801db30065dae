import { isObject, nameOf, parseEnvelope } from './cloud-event.ts';
import { MalformedEventError } from './malformed-event-error.ts';

/** A Kubernetes object as an event carries it; only what is typed here has been checked. */
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

/** An event of an ApiServerSource in Resource mode. */
export interface ResourceEvent {
  /** With a selector, `add` and `delete` can also mean that the object gained or lost the label. */
  readonly action: 'add' | 'update' | 'delete';
  /** Fresh for each emission: the same change seen twice has two ids. */
  readonly id: string;
  /** URL of the API server. */
  readonly source: string;
  /** Path of the object, e.g. `/apis/v1/namespaces/prod/pods/web-01`. */
  readonly subject: string | undefined;
  /** The whole object as it was when the source saw the change; it may be out of date by now. */
  readonly object: ResourceObject;
}

const RESOURCE_TYPE = /^dev\.knative\.apiserver\.resource\.(add|update|delete)$/;

/**
 * Reads an ApiServerSource event in Resource mode.
 *
 * @param event - The CloudEvent as the function runtime hands it over.
 * @throws MalformedEventError with status 400 for what is no CloudEvent, 422 for another kind of CloudEvent.
 */
export function parseResourceEvent(event: unknown): ResourceEvent {
  const { id, source, type, subject, data } = parseEnvelope(event);
  const action = RESOURCE_TYPE.exec(type)?.[1] as ResourceEvent['action'] | undefined;
  if (action === undefined) {
    const hint = type.startsWith('dev.knative.apiserver.ref.') ? '; set "mode: Resource" on the ApiServerSource' : '';
    throw new MalformedEventError(
      422,
      '/type',
      `expected dev.knative.apiserver.resource.{add,update,delete}, got ${nameOf(type)}${hint}`,
    );
  }
  return { action, id, source, subject, object: parseObject(data) };
}

function parseObject(data: unknown): ResourceObject {
  const object = objectAt(data, '/data');
  const metadata = objectAt(object.metadata, '/data/metadata');
  stringAt(object.apiVersion, '/data/apiVersion');
  stringAt(object.kind, '/data/kind');
  stringAt(metadata.name, '/data/metadata/name');
  if (metadata.namespace !== undefined) stringAt(metadata.namespace, '/data/metadata/namespace');
  return object as unknown as ResourceObject;
}

function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (!isObject(value)) throw new MalformedEventError(422, where, `expected an object, got ${nameOf(value)}`);
  return value;
}

function stringAt(value: unknown, where: string): void {
  if (typeof value !== 'string' || value === '') {
    throw new MalformedEventError(422, where, `expected a non-empty string, got ${nameOf(value)}`);
  }
}
