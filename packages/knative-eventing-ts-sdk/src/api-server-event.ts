import { type Envelope, isObject, nameOf, parseEnvelope } from './cloud-event.ts';
import { MalformedEventError } from './malformed-event-error.ts';

/**
 * What the two modes of an ApiServerSource have in common.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const event = {
 *   specversion: '1.0',
 *   id: '1',
 *   source: 'https://10.96.0.1:443',
 *   type: 'dev.knative.apiserver.resource.delete',
 *   data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'shop' } },
 * };
 * const { action }: ApiServerEvent = parseResourceEvent(event);
 * action; // => 'delete'
 * ```
 */
export interface ApiServerEvent {
  /** With a selector, `add` and `delete` can also mean that the object gained or lost the label. */
  readonly action: 'add' | 'update' | 'delete';
  /** Fresh for each emission: the same change seen twice has two ids. */
  readonly id: string;
  /** URL of the API server. */
  readonly source: string;
  /** Path of the object, e.g. `/apis/v1/namespaces/prod/pods/web-01`. */
  readonly subject: string | undefined;
}

const MODES = { resource: 'Resource', ref: 'Reference' } as const;

/** @throws MalformedEventError for what is no CloudEvent (400), or no ApiServerSource event of this mode (422) */
export function parseApiServerEvent(
  event: unknown,
  mode: keyof typeof MODES,
): { readonly event: ApiServerEvent; readonly data: Envelope['data'] } {
  const { id, source, type, subject, data } = parseEnvelope(event);
  const [, sent, action] = /^dev\.knative\.apiserver\.(resource|ref)\.(add|update|delete)$/.exec(type) ?? [];
  if (sent !== mode) {
    const hint = sent === undefined ? '' : `; set "mode: ${MODES[mode]}" on the ApiServerSource`;
    const expected = `dev.knative.apiserver.${mode}.{add,update,delete}`;
    throw new MalformedEventError(422, '/type', `expected ${expected}, got ${nameOf(type)}${hint}`);
  }
  return { event: { action: action as ApiServerEvent['action'], id, source, subject }, data };
}

export function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (!isObject(value)) throw new MalformedEventError(422, where, `expected an object, got ${nameOf(value)}`);
  return value;
}

export function stringAt(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new MalformedEventError(422, where, `expected a non-empty string, got ${nameOf(value)}`);
  }
  return value;
}
