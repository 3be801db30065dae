import { anyFields, fields, list, type Manifest, ManifestError, nameOf, text } from './manifests.ts';

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
 * @throws ManifestError for what this source cannot do: Reference mode, owners, filters, namespaces chosen by label.
 */
export function parseSource(manifest: Manifest): SourceSpec {
  const where = `${nameOf(manifest)}: spec`;
  const { name, namespace = 'default' } = manifest.metadata;
  const spec = fields(manifest.spec, where, [
    ...(['serviceAccountName', 'mode', 'namespaceSelector', 'resources', 'sink', 'ceOverrides'] as const),
  ]);
  if (spec.mode !== 'Resource') throw new ManifestError(`${where}.mode`, "must be 'Resource'");
  const allNamespaces = !namespaced(spec.namespaceSelector, `${where}.namespaceSelector`);
  return {
    name,
    namespace,
    serviceAccount: text(spec.serviceAccountName ?? 'default', `${where}.serviceAccountName`),
    allNamespaces,
    resources: list(spec.resources, `${where}.resources`).map((resource, index) =>
      parseResource(resource, allNamespaces ? undefined : namespace, `${where}.resources[${index}]`),
    ),
    extensions: parseExtensions(spec.ceOverrides, `${where}.ceOverrides`),
    sink: parseSink(spec.sink, namespace, `${where}.sink`),
  };
}

function parseExtensions(overrides: unknown, where: string): SourceSpec['extensions'] {
  const { extensions = {} } = fields(overrides ?? {}, where, ['extensions']);
  return Object.fromEntries(
    Object.entries(anyFields(extensions, `${where}.extensions`)).map(([name, value]) => [
      name,
      text(value, `${where}.extensions.${name}`),
    ]),
  );
}

/** Without a namespaceSelector the source watches its own namespace, with `{}` all of them. */
function namespaced(selector: unknown, where: string): boolean {
  if (selector === undefined) return true;
  if (Object.keys(anyFields(selector, where)).length > 0) throw new ManifestError(where, 'must be {} or absent');
  return false;
}

function parseResource(value: unknown, namespace: string | undefined, where: string): WatchedResource {
  const resource = fields(value, where, ['apiVersion', 'kind', 'selector']);
  const apiVersion = text(resource.apiVersion, `${where}.apiVersion`);
  const kind = text(resource.kind, `${where}.kind`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const plural = pluralOf(kind);
  return {
    apiVersion,
    kind,
    plural,
    path: `${root}${scope}/${plural}`,
    selector: resource.selector === undefined ? '' : labelSelector(resource.selector, `${where}.selector`),
  };
}

/** The adapter guesses the plural in the same way, and does not ask the API server. */
function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith('s')) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

function labelSelector(value: unknown, where: string): string {
  const { matchLabels, matchExpressions } = fields(value, where, ['matchLabels', 'matchExpressions']);
  const labels = Object.entries(anyFields(matchLabels ?? {}, `${where}.matchLabels`));
  const expressions = matchExpressions === undefined ? [] : list(matchExpressions, `${where}.matchExpressions`);
  return [
    ...labels.map(([key, label]) => `${key}=${String(label)}`),
    ...expressions.map((expression, index) => requirement(expression, `${where}.matchExpressions[${index}]`)),
  ].join(',');
}

function requirement(value: unknown, where: string): string {
  const { key: given, operator, values } = fields(value, where, ['key', 'operator', 'values']);
  const key = text(given, `${where}.key`);
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'In':
    case 'NotIn':
      return `${key} ${operator.toLowerCase()} (${list(values, `${where}.values`).join(',')})`;
    default:
      throw new ManifestError(`${where}.operator`, 'must be In, NotIn, Exists or DoesNotExist');
  }
}

/** Where a source sends to: a Broker. */
export function parseSink(value: unknown, ownNamespace: string, where: string): SourceSpec['sink'] {
  const { ref: reference } = fields(value, where, ['ref']);
  const ref = fields(reference, `${where}.ref`, ['apiVersion', 'kind', 'name', 'namespace']);
  if (ref.apiVersion !== 'eventing.knative.dev/v1' || ref.kind !== 'Broker') {
    throw new ManifestError(`${where}.ref`, 'must be a Broker of eventing.knative.dev/v1');
  }
  return {
    name: text(ref.name, `${where}.ref.name`),
    namespace: text(ref.namespace ?? ownNamespace, `${where}.ref.namespace`),
  };
}
