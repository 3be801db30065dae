import { randomInt, randomUUID } from 'node:crypto';
import { badRequest, type FieldError, invalidValue } from './errors.ts';
import { isRecord, type KubernetesObject, type ObjectMeta, timestamp } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';

/**
 * Reads a request body as an object of the resource; apiVersion and kind may be left out, as typed clients do.
 * @throws ApiError 400 when the body is no object, of another kind, or in another namespace than the URL says.
 */
export function decodeObject(resource: Resource, namespace: string, body: unknown): KubernetesObject {
  if (!isRecord(body)) throw badRequest('the body of the request must be a JSON object');
  const apiVersion = apiVersionOf(resource);
  if ((body.apiVersion ?? apiVersion) !== apiVersion || (body.kind ?? resource.kind) !== resource.kind) {
    throw badRequest(
      `the API version and kind in the data (${body.apiVersion}, ${body.kind}) do not match the expected ` +
        `(${apiVersion}, ${resource.kind})`,
    );
  }
  const metadata: ObjectMeta = isRecord(body.metadata) ? body.metadata : {};
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return tidy({ ...body, apiVersion, kind: resource.kind, metadata: { ...metadata, ...(namespace && { namespace }) } });
}

const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export function validateName(name: string): FieldError[] {
  if (name.length <= 253 && subdomain.test(name)) return [];
  const why =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
    'and end with an alphanumeric character';
  return [invalidValue('metadata.name', name, why)];
}

/** metadata of a new object: what only the server sets is set, whatever the body says. */
export function newMetadata(metadata: ObjectMeta): ObjectMeta {
  const { resourceVersion: _v, deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...rest } = metadata;
  return {
    ...rest,
    name: metadata.name || `${metadata.generateName}${suffix()}`,
    uid: randomUUID(),
    creationTimestamp: timestamp(),
  };
}

/** metadata after an update: what only the server sets stays as it is. */
export function keptMetadata(next: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const kept: ObjectMeta = { ...next };
  const fields = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'generation',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ];
  for (const field of fields) {
    if (current[field] === undefined) delete kept[field];
    else kept[field] = current[field];
  }
  return kept;
}

/** The typed metadata of the API server leaves empty lists and maps out (`omitempty`). */
export function tidy(object: KubernetesObject): KubernetesObject {
  const metadata = Object.entries(object.metadata).filter(([, value]) => !isEmpty(value));
  return { ...object, metadata: Object.fromEntries(metadata) };
}

export function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Kubernetes' own alphabet for generated names: no vowels, nothing that looks like another letter. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

const suffix = (): string => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
