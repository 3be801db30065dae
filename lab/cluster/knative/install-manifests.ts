import { isDeepStrictEqual } from 'node:util';
import { imageOf } from './programs.ts';

interface Installed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly replicas?: number; readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly Container[];
}

interface Container {
  readonly image: string;
  readonly resources?: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>> | undefined>>;
}

/** What ConfigMaps say beside their own, by their names. */
export type Settings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What an installation applies, in this order: nothing of the second part is known before the first is established. */
export interface InstallManifests {
  readonly kinds: readonly Installed[];
  readonly objects: readonly Installed[];
}

/** Needs metrics that nobody collects here, or an image that we do not build. */
const LEFT_OUT: readonly ((object: Installed) => boolean)[] = [
  ({ kind }) => kind === 'HorizontalPodAutoscaler',
  // With the one replica that is left without it, no node could be drained.
  ({ kind }) => kind === 'PodDisruptionBudget',
  // Asks for an image to be cached on all nodes, which is there.
  ({ kind }) => kind === 'Image',
  ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'job-sink',
  ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'request-reply',
];

/**
 * Makes of the files in a module's `config/` what can be installed here.
 *
 * @param settings have to be there before anybody reads them
 * @throws Error when two files say different things of one object, or a ConfigMap of `settings` is not there
 */
export function installManifests(documents: readonly unknown[], settings: Settings = {}): InstallManifests {
  const objects = unique(documents.filter(isObject))
    .filter((object) => !LEFT_OUT.some((isLeftOut) => isLeftOut(object)))
    .map((object) => ours(object))
    .map((object) =>
      isConfigMap(object) ? { ...object, data: { ...object.data, ...settings[object.metadata.name] } } : object,
    );
  for (const name of Object.keys(settings)) {
    if (!objects.some((object) => isConfigMap(object) && object.metadata.name === name)) {
      throw new Error(`There is no ConfigMap ${name} to set anything in.`);
    }
  }
  const isKind = ({ kind }: Installed) => kind === 'CustomResourceDefinition';
  const isNamespace = ({ kind }: Installed) => kind === 'Namespace';
  const rest = objects.filter((object) => !isKind(object) && !isNamespace(object));
  return { kinds: objects.filter(isKind), objects: [...objects.filter(isNamespace), ...rest] };
}

/** A file that holds nothing but comments is a document too. */
function isObject(document: unknown): document is Installed {
  return document !== null && document !== undefined;
}

function isConfigMap({ kind }: Installed): boolean {
  return kind === 'ConfigMap';
}

/** Serving and its network layer bring one kind each. */
function unique(objects: readonly Installed[]): Installed[] {
  const known = new Map<string, Installed>();
  for (const object of objects) {
    const { kind, metadata } = object;
    const key = `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
    if (known.has(key) && !isDeepStrictEqual(known.get(key), object)) throw new Error(`Two files define ${key}.`);
    known.set(key, object);
  }
  return [...known.values()];
}

function ours(object: Installed): Installed {
  // ko, which Knative's releases are made with, replaces these wherever they stand.
  const withImages = JSON.parse(JSON.stringify(object).replaceAll(/ko:\/\/([\w./-]+)/g, (_, name) => imageOf(name)));
  return withSmallRequests(withImages);
}

/** The requests of the control plane alone would fill two cores, and its limits would slow it down on them. */
function withSmallRequests(object: Installed): Installed {
  const template = object.spec?.template;
  if (object.kind !== 'Deployment' || template === undefined) return object;
  const containers = template.spec.containers.map((container) => {
    const { requests, limits } = container.resources ?? {};
    const { cpu: _, ...otherLimits } = limits ?? {};
    return { ...container, resources: { requests: { ...requests, cpu: '5m' }, limits: otherLimits } };
  });
  return { ...object, spec: { ...object.spec, template: { ...template, spec: { ...template.spec, containers } } } };
}
