import {
  type WatchedResource as DeclaredResource,
  type Destination,
  type LabelRequirement,
  type LabelSelector,
  parseManifest,
} from 'knative-eventing-ts-sdk';
import { type Manifest, ManifestError, nameOf, requireAbsent } from './manifests.ts';

/** A resource whose changes become events. */
export interface WatchedResource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As the API server's paths name it, e.g. `pods`. */
  readonly plural: string;
  /** Path of the collection in the API server, e.g. `/api/v1/pods`. */
  readonly path: string;
  /** Label selector in the syntax of the API; empty for all. */
  readonly selector: string;
}

export interface SourceSpec {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Whether it watches all namespaces, or only its own. */
  readonly allNamespaces: boolean;
  readonly resources: readonly WatchedResource[];
  /** Added to each event. */
  readonly extensions: Readonly<Record<string, string>>;
  /** The broker that the events go to. */
  readonly sink: { readonly namespace: string; readonly name: string };
}

/**
 * Reads an ApiServerSource.
 *
 * @throws MalformedManifestError for what is none
 * @throws ManifestError for what this source cannot do: Reference mode, owners, filters, namespaces chosen by label
 */
export function parseSource(manifest: Manifest): SourceSpec {
  const { metadata, spec } = parseManifest('ApiServerSource', manifest);
  const where = `${nameOf(manifest)}: spec`;
  const { name = '', namespace = 'default' } = metadata;
  requireAbsent(spec, where, ['owner', 'filters']);
  if (spec.mode !== 'Resource') throw new ManifestError(`${where}.mode`, "must be 'Resource'");
  // Without a namespaceSelector the source watches its own namespace, with `{}` all of them.
  const allNamespaces = spec.namespaceSelector !== undefined;
  if (allNamespaces && selectorOf(spec.namespaceSelector) !== '') {
    throw new ManifestError(`${where}.namespaceSelector`, 'must be {} or absent');
  }
  return {
    name,
    namespace,
    serviceAccount: spec.serviceAccountName ?? 'default',
    allNamespaces,
    resources: spec.resources.map((resource) => watched(resource, allNamespaces ? undefined : namespace)),
    extensions: spec.ceOverrides?.extensions ?? {},
    sink: brokerOf(spec.sink, namespace, `${where}.sink`),
  };
}

function watched({ apiVersion, kind, selector }: DeclaredResource, namespace: string | undefined): WatchedResource {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const plural = pluralOf(kind);
  return { apiVersion, kind, plural, path: `${root}${scope}/${plural}`, selector: selectorOf(selector) };
}

/** The adapter guesses the plural in the same way, and does not ask the API server. */
function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith('s')) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

function selectorOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return [...labels, ...matchExpressions.map(requirement)].join(',');
}

function requirement({ key, operator, values = [] }: LabelRequirement): string {
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'In':
    case 'NotIn':
      return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  }
}

/** Where a source sends to: a Broker. */
export function brokerOf({ ref, ...rest }: Destination, ownNamespace: string, where: string): SourceSpec['sink'] {
  requireAbsent(rest, where, ['uri', 'CACerts', 'audience']);
  if (ref?.kind !== 'Broker') throw new ManifestError(`${where}.ref`, 'must be a Broker of eventing.knative.dev/v1');
  return { name: ref.name, namespace: ref.namespace ?? ownNamespace };
}
