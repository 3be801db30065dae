import { at } from '../json-pointer.ts';
import type { ApiServerSource } from './api-server-source.ts';
import { checkManifest, isOfKnative, type Manifests } from './check-manifest.ts';
import { DEPENDENCY, dependencyOf } from './dependency.ts';
import type { Destination } from './destination.ts';
import type { EventFilter } from './filters.ts';
import { closest, hint, nameOfManifest, type Problem, withoutNulls } from './problem.ts';
import type { Trigger } from './trigger.ts';

/**
 * A problem, and the manifest that has it.
 *
 * @see [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)
 *
 * @example
 * ```ts
 * const [problem]: readonly ManifestProblem[] = checkManifests([{ apiVersion: 'v1', kind: 'Trigger' }]);
 * problem?.manifest; // => 'Trigger default/'
 * ```
 */
export interface ManifestProblem extends Problem {
  /** Kind, namespace and name, e.g. `Trigger shop/ship`. */
  readonly manifest: string;
}

/**
 * Checks manifests that are applied together, e.g. all that `kubectl kustomize` prints: each one by `checkManifest`, and
 * whether they fit: a name that is nearly that of a Broker or of a source beside it, and a Trigger that waits for events
 * which no source of its Broker sends. What is not among the manifests is not missed, since it may be in the cluster.
 *
 * @throws Nothing: whatever it is given, what is wrong is what it returns.
 * @see [Knative, API of eventing](https://knative.dev/docs/eventing/reference/eventing-api/)
 *
 * @example
 * ```ts
 * const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'orders' } };
 * const trigger = {
 *   apiVersion: 'eventing.knative.dev/v1',
 *   kind: 'Trigger',
 *   metadata: { name: 'ship' },
 *   spec: { broker: 'order', subscriber: { uri: 'http://ship.shop' } },
 * };
 * checkManifests([broker, trigger]).map(({ manifest, where }) => `${manifest} ${where}`);
 * // => ['Trigger default/ship /spec/broker']
 * ```
 */
export function checkManifests(manifests: readonly unknown[]): readonly ManifestProblem[] {
  // A document of comments alone is null, and kubectl passes over it.
  const documents = manifests.filter((manifest) => manifest !== null);
  const problems = documents.map((manifest) => ({ manifest, found: checkManifest(manifest) }));
  const sound = problems
    .filter(({ manifest, found }) => found.length === 0 && isOfKnative((manifest as Checked).apiVersion))
    .map(({ manifest }) => withoutNulls(manifest) as Checked);
  return [...problems, ...sound.map((manifest) => ({ manifest, found: fit(manifest, sound) }))].flatMap(
    ({ manifest, found }) => found.map((problem) => ({ manifest: nameOfManifest(manifest), ...problem })),
  );
}

type Checked = Manifests[keyof Manifests];

function fit(manifest: Checked, all: readonly Checked[]): readonly Problem[] {
  switch (manifest.kind) {
    case 'Trigger': {
      const { broker } = manifest.spec;
      const unready = misspeltDependency(manifest, all);
      if (broker === undefined) return unready;
      const misspelt = misspeltName('Broker', broker, namespaceOf(manifest), '/spec/broker', all);
      return [...unready, ...(misspelt.length > 0 ? misspelt : neverSent(manifest, broker, all))];
    }
    case 'ApiServerSource':
    case 'PingSource': {
      const sink = brokerOf(manifest.spec.sink, namespaceOf(manifest));
      return sink === undefined ? [] : misspeltName('Broker', sink.name, sink.namespace, '/spec/sink/ref/name', all);
    }
    default:
      return [];
  }
}

/** Of a name that is none of these manifests', but nearly one: any other may be in the cluster. */
function misspeltName(
  kind: string,
  name: string,
  namespace: string,
  where: string,
  all: readonly Checked[],
): Problem[] {
  const names = all
    .filter((each) => each.kind === kind && namespaceOf(each) === namespace)
    .map(({ metadata }) => metadata.name ?? '');
  const meant = names.includes(name) ? undefined : closest(name, names);
  if (meant === undefined) return [];
  const what = `is ${name}, but these manifests have no such ${kind} in namespace ${namespace}. Did you mean ${meant}?`;
  return [{ where, what }];
}

function misspeltDependency(trigger: Trigger, all: readonly Checked[]): Problem[] {
  const text = trigger.metadata.annotations?.[DEPENDENCY];
  if (text === undefined) return [];
  const { kind, name } = dependencyOf(text);
  return misspeltName(kind, name, namespaceOf(trigger), at('/metadata/annotations', DEPENDENCY), all);
}

/** Values of `type` and `kind` that a Trigger compares with, and that no source of its Broker can have. */
function neverSent(trigger: Trigger, broker: string, all: readonly Checked[]): readonly Problem[] {
  const sources = all.filter((each): each is ApiServerSource => {
    if (each.kind !== 'ApiServerSource') return false;
    const sink = brokerOf(each.spec.sink, namespaceOf(each));
    return sink?.name === broker && sink.namespace === namespaceOf(trigger);
  });
  if (sources.length === 0) return [];
  const modes = new Set(sources.map(({ spec: { mode = 'Reference' } }) => mode));
  const kinds = sources.flatMap(({ spec }) => spec.resources.map(({ kind }) => kind));
  const names = sources.map(({ metadata }) => metadata.name).join(', ');
  return wanted(trigger).flatMap(({ where, attribute, value }) => {
    if (attribute === 'kind' && !kinds.includes(value)) {
      const meant = hint(value, kinds) || ` Sent: ${kinds.join(', ')}.`;
      return [{ where, what: `is ${value}, which ApiServerSource ${names} does not send.${meant}` }];
    }
    const mode = /^dev\.knative\.apiserver\.(ref|resource)\./.exec(value)?.[1] === 'ref' ? 'Reference' : 'Resource';
    if (attribute !== 'type' || !value.startsWith('dev.knative.apiserver.') || modes.has(mode)) return [];
    return [{ where, what: `is ${value}, which ApiServerSource ${names} does not send: it is not in ${mode} mode` }];
  });
}

interface Wanted {
  readonly where: string;
  readonly attribute: string;
  readonly value: string;
}

function wanted({ spec: { filter, filters } }: Trigger): readonly Wanted[] {
  if (filters === undefined) return compared(filter?.attributes ?? {}, '/spec/filter/attributes');
  return filters.flatMap((each, index) => inFilter(each, `/spec/filters/${index}`));
}

/** What a filter compares with; not what it excludes. */
function inFilter({ exact = {}, all = [], any = [] }: EventFilter, where: string): readonly Wanted[] {
  return [
    ...compared(exact, `${where}/exact`),
    ...all.flatMap((each, index) => inFilter(each, `${where}/all/${index}`)),
    ...any.flatMap((each, index) => inFilter(each, `${where}/any/${index}`)),
  ];
}

function compared(attributes: Readonly<Record<string, string>>, where: string): readonly Wanted[] {
  return Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([attribute, value]) => ({ where: `${where}/${attribute}`, attribute, value }));
}

function brokerOf({ ref }: Destination, ownNamespace: string): { name: string; namespace: string } | undefined {
  return ref?.kind === 'Broker' ? { name: ref.name, namespace: ref.namespace ?? ownNamespace } : undefined;
}

function namespaceOf({ metadata }: Checked): string {
  return metadata.namespace ?? 'default';
}
