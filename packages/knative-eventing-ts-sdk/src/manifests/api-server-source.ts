import { anything, type Check, list, mapOf, mapping, oneOf, required, text } from './check.ts';
import { apiVersion, type Destination, destination, kind, kindRule } from './destination.ts';
import { attributeName, type EventFilter, eventFilters } from './filters.ts';
import { dnsName, type Metadata, metadata, TRUE_OR_FALSE } from './metadata.ts';
import { type LabelSelector, labelSelector } from './selector.ts';

/**
 * Makes events of the changes of Kubernetes objects.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const source: ApiServerSource = {
 *   apiVersion: 'sources.knative.dev/v1',
 *   kind: 'ApiServerSource',
 *   metadata: { name: 'pods' },
 *   spec: { mode: 'Resource', resources: [{ apiVersion: 'v1', kind: 'Pod' }], sink: { uri: 'http://pods.shop' } },
 * };
 * checkManifest(source); // => []
 * ```
 */
export interface ApiServerSource {
  readonly apiVersion: 'sources.knative.dev/v1';
  readonly kind: 'ApiServerSource';
  readonly metadata: Metadata;
  readonly spec: ApiServerSourceSpec;
  readonly status?: unknown;
}

/**
 * What an ApiServerSource watches, and where its events go.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const spec: ApiServerSourceSpec = {
 *   serviceAccountName: 'pods-source',
 *   resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
 *   sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
 * };
 * ```
 */
export interface ApiServerSourceSpec {
  readonly resources: readonly WatchedResource[];
  /** Only objects that such an object owns. */
  readonly owner?: ResourceKind;
  /** What an event tells of the object: where it is (`Reference`, the default), or all of it (`Resource`). */
  readonly mode?: 'Reference' | 'Resource';
  readonly serviceAccountName?: string;
  /** By default the source's own namespace; `{}` is all of them. */
  readonly namespaceSelector?: LabelSelector;
  /** With Knative's feature `new-apiserversource-filters`. */
  readonly filters?: readonly EventFilter[];
  readonly sink: Destination;
  readonly ceOverrides?: EventOverrides;
}

/**
 * A kind of Kubernetes, in a version of its API.
 *
 * @see [Knative, API of eventing](https://knative.dev/docs/eventing/reference/eventing-api/)
 *
 * @example
 * ```ts
 * const owner: ResourceKind = { apiVersion: 'apps/v1', kind: 'ReplicaSet' };
 * ```
 */
export interface ResourceKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * Objects that an ApiServerSource watches: all of a kind, or those with some labels.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const resource: WatchedResource = {
 *   apiVersion: 'v1',
 *   kind: 'Pod',
 *   selector: { matchLabels: { app: 'shop' } },
 * };
 * ```
 */
export interface WatchedResource extends ResourceKind {
  readonly selector?: LabelSelector;
}

/**
 * Extensions that a source adds to each event.
 *
 * @see [Knative, ApiServerSource](https://knative.dev/docs/eventing/sources/apiserversource/reference/)
 *
 * @example
 * ```ts
 * const ceOverrides: EventOverrides = { extensions: { cluster: 'one' } };
 * ```
 */
export interface EventOverrides {
  readonly extensions?: Readonly<Record<string, string>>;
}

export const eventOverrides: Check<EventOverrides> = mapping<EventOverrides>({
  extensions: mapOf(attributeName, text),
});

const spec: Check<ApiServerSourceSpec> = mapping<ApiServerSourceSpec>({
  resources: required(
    list(
      mapping<WatchedResource>(
        { apiVersion: required(apiVersion), kind: required(kind), selector: labelSelector },
        kindRule,
      ),
      { empty: false },
    ),
  ),
  owner: mapping<ResourceKind>({ apiVersion: required(apiVersion), kind: required(kind) }, kindRule),
  mode: oneOf('Reference', 'Resource'),
  serviceAccountName: dnsName,
  namespaceSelector: labelSelector,
  filters: eventFilters,
  sink: required(destination),
  ceOverrides: eventOverrides,
});

export const apiServerSource: Check<ApiServerSource> = mapping<ApiServerSource>({
  apiVersion: required(oneOf('sources.knative.dev/v1')),
  kind: required(oneOf('ApiServerSource')),
  metadata: required(metadata({ 'features.knative.dev/apiserversource-skip-permissions-check': TRUE_OR_FALSE })),
  spec: required(spec),
  status: anything,
});
