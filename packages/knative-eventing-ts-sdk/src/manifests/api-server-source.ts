import { anything, type Check, list, mapOf, mapping, oneOf, required, text } from './check.ts';
import { apiVersion, type Destination, destination, kind, kindRule } from './destination.ts';
import { attributeName, type EventFilter, eventFilters } from './filters.ts';
import { dnsName, type Metadata, metadata, TRUE_OR_FALSE } from './metadata.ts';
import { type LabelSelector, labelSelector } from './selector.ts';

/** Makes events of the changes of Kubernetes objects. */
export interface ApiServerSource {
  readonly apiVersion: 'sources.knative.dev/v1';
  readonly kind: 'ApiServerSource';
  readonly metadata: Metadata;
  readonly spec: ApiServerSourceSpec;
  readonly status?: unknown;
}

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

export interface ResourceKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface WatchedResource extends ResourceKind {
  readonly selector?: LabelSelector;
}

/** Extensions that a source adds to each event. */
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
