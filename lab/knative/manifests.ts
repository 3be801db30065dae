import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** A Kubernetes object as it stands in a file. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  /** Of a ConfigMap. */
  readonly data?: Readonly<Record<string, string>>;
}

/** A manifest says something that the stand-ins cannot do; they must not quietly do less. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';

  /** @param where - The object and the path in it, e.g. `Trigger reuse-port: spec.filters[0]`. */
  constructor(where: string, what: string) {
    super(`${where}: ${what}`);
  }
}

/**
 * Reads the objects of a kustomization: those of its `resources` and `components`, in order, folders included.
 *
 * @throws ManifestError for any other field of kustomize, because the objects would not be what kustomize makes.
 */
export async function readKustomization(folder: string): Promise<Manifest[]> {
  const file = join(folder, 'kustomization.yaml');
  const [kustomization] = await readYaml(file);
  const { resources, components = [] } = fields(kustomization, file, ['apiVersion', 'kind', 'resources', 'components']);
  const objects: Manifest[] = [];
  for (const resource of [...list(resources, `${file}: resources`), ...(components as unknown[])].map(String)) {
    const path = join(dirname(file), resource);
    const found = path.endsWith('.yaml') ? ((await readYaml(path)) as Manifest[]) : await readKustomization(path);
    objects.push(...found);
  }
  return objects;
}

/** Reads every document of a YAML file. */
export async function readYaml(file: string): Promise<unknown[]> {
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => {
    if (document.errors[0]) throw new ManifestError(file, document.errors[0].message);
    return document.toJS() as unknown;
  });
}

/** @throws ManifestError if one of these fields is there: Knative knows it, the stand-ins do not */
export function requireAbsent<Spec extends object>(
  spec: Spec,
  where: string,
  fields: readonly (keyof Spec & string)[],
): void {
  const found = fields.find((field) => spec[field] !== undefined);
  if (found !== undefined) throw new ManifestError(where, `'${found}' is not known here`);
}

/** The manifests of one kind, e.g. `eventing.knative.dev/v1` and `Trigger`. */
export function ofKind(manifests: readonly Manifest[], apiVersion: string, kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.apiVersion === apiVersion && manifest.kind === kind);
}

export function nameOf(manifest: Manifest): string {
  return `${manifest.kind} ${manifest.metadata.namespace ?? ''}/${manifest.metadata.name}`;
}

/** Takes a mapping apart, and rejects fields that are not among those known. */
function fields<Known extends string>(
  value: unknown,
  where: string,
  known: readonly Known[],
): Partial<Record<Known, unknown>> {
  const mapping = anyFields(value, where);
  for (const field of Object.keys(mapping)) {
    if (!(known as readonly string[]).includes(field)) {
      throw new ManifestError(where, `'${field}' is not known here; known are ${known.join(', ')}`);
    }
  }
  return mapping as Partial<Record<Known, unknown>>;
}

export function anyFields(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ManifestError(where, 'must be a mapping');
  }
  return value as Record<string, unknown>;
}

export function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ManifestError(where, 'must be a list with something in it');
  return value;
}

export function text(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new ManifestError(where, 'must be a non-empty string');
  return value;
}
