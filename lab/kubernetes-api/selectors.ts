import { badRequest } from './errors.ts';
import type { KubernetesObject } from './object.ts';
import type { Resource } from './resources.ts';

export type Matcher = (object: KubernetesObject) => boolean;

type Labels = Readonly<Record<string, string>>;

/**
 * Parses a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, comma-separated and ANDed.
 * @throws ApiError 400 when it cannot be parsed.
 */
export function labelSelector(text: string): Matcher {
  const requirements = splitRequirements(text).map(parseRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((matches) => matches(labels));
  };
}

/** Commas separate requirements, except inside the parentheses of a set. */
function splitRequirements(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const key = `(?<key>[A-Za-z0-9][A-Za-z0-9._/-]*)`;
const setRequirement = new RegExp(String.raw`^${key}\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$`);
const equality = new RegExp(String.raw`^${key}\s*(?<operator>==?|!=)\s*(?<value>[A-Za-z0-9._-]*)$`);
const existence = new RegExp(String.raw`^(?<not>!?)\s*${key}$`);

function parseRequirement(text: string): (labels: Labels) => boolean {
  const set = setRequirement.exec(text)?.groups;
  if (set) {
    const values = new Set(set.values!.split(',').map((value) => value.trim()));
    const label = set.key!;
    return set.operator === 'in'
      ? (labels) => Object.hasOwn(labels, label) && values.has(labels[label]!)
      : (labels) => !Object.hasOwn(labels, label) || !values.has(labels[label]!);
  }
  const equal = equality.exec(text)?.groups;
  if (equal) {
    const { key: label, operator, value } = equal as { key: string; operator: string; value: string };
    return operator === '!=' ? (labels) => labels[label] !== value : (labels) => labels[label] === value;
  }
  const exists = existence.exec(text)?.groups;
  if (exists) {
    const label = exists.key!;
    return exists.not ? (labels) => !Object.hasOwn(labels, label) : (labels) => Object.hasOwn(labels, label);
  }
  throw badRequest(`unable to parse requirement: ${text}`);
}

/** Fields that kube-apiserver indexes, beyond `metadata.name` and `metadata.namespace` that every resource has. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  pods: ['spec.nodeName', 'spec.schedulerName', 'status.phase'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'type',
  ],
  namespaces: ['status.phase'],
};

/**
 * Parses a field selector: `path=value`, `path==value`, `path!=value`, comma-separated and ANDed.
 * @throws ApiError 400 on a field that this resource cannot be selected by.
 */
export function fieldSelector(resource: Resource, text: string): Matcher {
  const requirements = text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => parseField(resource, part));
  return (object) => requirements.every((matches) => matches(object));
}

function parseField(resource: Resource, text: string): Matcher {
  const match = /^(?<path>[^=!]+)(?<operator>==?|!=)(?<value>.*)$/.exec(text)?.groups;
  if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
  const { path, operator, value } = match as { path: string; operator: string; value: string };
  const known = ['metadata.name', 'metadata.namespace', ...(selectableFields[resource.plural] ?? [])];
  if (!known.includes(path)) throw badRequest(`field label not supported: ${path}`);
  const equal = operator !== '!=';
  return (object) => (fieldAt(object, path) === value) === equal;
}

function fieldAt(object: KubernetesObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[step];
  return value === undefined ? '' : String(value);
}
