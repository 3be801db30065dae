import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from './errors.ts';
import { validateEvent } from './events.ts';
import { isEmpty, validateName } from './metadata.ts';
import type { KubernetesObject } from './object.ts';
import { defaultPod, initialPodStatus, type Pod, validatePod, validatePodUpdate } from './pods.ts';
import { hasStatus, isCustom, type Resource } from './resources.ts';

/** Fields of the spec that built-in types leave out when empty; a JSON Patch can leave `[]` behind. */
const omittedWhenEmpty = ['schedulingGates', 'tolerations', 'nodeSelector'];

/** What the server itself makes of a new object, before admission and validation see it. */
export function prepareForCreate(resource: Resource, object: KubernetesObject): KubernetesObject {
  if (resource.kind === 'Pod') return withoutEmpty(defaultPod(object));
  if (resource.kind === 'Namespace') {
    return { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
  }
  if (!isCustom(resource) || !hasStatus(resource)) return object;
  const { status: _status, ...rest } = object;
  return rest as KubernetesObject;
}

/** The last step of a create, after admission: what depends on what policies added. */
export function finishCreate(resource: Resource, object: KubernetesObject): KubernetesObject {
  const created = hasGeneration(resource) ? { ...object, metadata: { ...object.metadata, generation: 1 } } : object;
  return resource.kind === 'Pod' ? { ...created, status: initialPodStatus(created as Pod) } : created;
}

/** Main and status verbs each write their own half of the object. */
export function prepareForUpdate(
  resource: Resource,
  subresource: string | undefined,
  next: KubernetesObject,
  current: KubernetesObject,
): KubernetesObject {
  if (subresource === 'status') {
    const metadata = isCustom(resource) ? { ...current.metadata } : { ...next.metadata, ...ownerReferencesOf(current) };
    return withField({ ...current, metadata }, 'status', next.status);
  }
  const prepared = resource.kind === 'Pod' ? withoutEmpty(next) : next;
  return hasStatus(resource) ? withField(prepared, 'status', current.status) : prepared;
}

export function validateCreate(resource: Resource, object: KubernetesObject): FieldError[] {
  const errors = validateName(object.metadata.name!);
  if (resource.kind === 'Pod') errors.push(...validatePod(object as Pod));
  if (resource.kind === 'Event') errors.push(...validateEvent(object));
  return errors;
}

export function validateUpdate(resource: Resource, next: KubernetesObject, current: KubernetesObject): FieldError[] {
  if (resource.kind === 'Event') return validateEvent(next);
  return resource.kind === 'Pod'
    ? [...validatePod(next as Pod), ...validatePodUpdate(next as Pod, current as Pod)]
    : [];
}

/** `generation` counts changes to all but metadata, and but status where status is a subresource. */
export function nextGeneration(resource: Resource, next: KubernetesObject, current: KubernetesObject): object {
  if (!hasGeneration(resource) || isDeepStrictEqual(counted(resource, next), counted(resource, current))) return {};
  return { generation: (current.metadata.generation ?? 0) + 1 };
}

const hasGeneration = (resource: Resource): boolean => isCustom(resource) || resource.kind === 'Pod';

function counted(resource: Resource, object: KubernetesObject): unknown {
  const { metadata: _metadata, status, ...rest } = object;
  return hasStatus(resource) ? rest : { ...rest, status };
}

const ownerReferencesOf = ({ metadata }: KubernetesObject) =>
  metadata.ownerReferences ? { ownerReferences: metadata.ownerReferences } : {};

function withField(object: KubernetesObject, field: string, value: unknown): KubernetesObject {
  const { [field]: _old, ...rest } = object;
  return (value === undefined ? rest : { ...rest, [field]: value }) as KubernetesObject;
}

function withoutEmpty(object: KubernetesObject): KubernetesObject {
  const spec = Object.entries((object.spec ?? {}) as Record<string, unknown>).filter(
    ([field, value]) => !(omittedWhenEmpty.includes(field) && isEmpty(value)),
  );
  return { ...object, spec: Object.fromEntries(spec) };
}
