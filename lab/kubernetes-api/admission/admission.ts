import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../object.ts';
import type { AdmissionController } from '../operations.ts';
import { applyJsonPatch, JsonPatchError } from '../patches.ts';
import type { Bindings } from './expression.ts';
import { type LabelSelector, type Policy, type Rule, readPolicies } from './policy.ts';

type Write = Parameters<AdmissionController>[0];

/**
 * Reads MutatingAdmissionPolicies and their bindings from YAML files.
 * @throws Error naming file, object and field, when one of them cannot be honoured.
 */
export async function loadAdmission(files: readonly string[]): Promise<AdmissionController> {
  const objects = await Promise.all(files.map(readDocuments));
  try {
    return admission(readPolicies(objects.flat()));
  } catch (error) {
    throw new Error(`${files.join(', ')}: ${(error as Error).message}`);
  }
}

async function readDocuments(file: string): Promise<unknown[]> {
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => {
    if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`);
    return document.toJS();
  });
}

/** Shows every write to each policy in turn; a later one sees what an earlier one made of the object. */
export function admission(policies: readonly Policy[]): AdmissionController {
  return (write) =>
    policies
      .filter(({ rules }) => rules.some((rule) => matchesRule(rule, write)))
      .reduce((object, policy) => applyPolicy(policy, { ...write, object }), write.object);
}

function applyPolicy(policy: Policy, write: Write): KubernetesObject {
  // kube-apiserver asks the selector of both objects and goes on if one of them matches.
  const candidates = [write.object, write.oldObject].filter((object) => object !== null);
  if (!candidates.some((object) => matchesLabels(policy.objectSelector, object))) return write.object;
  try {
    const bindings = bindingsOf(write);
    if (!matchesConditions(policy, bindings)) return write.object;
    return policy.mutations.reduce((object, mutate) => patched(object, mutate({ ...bindings, object })), write.object);
  } catch (error) {
    const source = `policy '${policy.name}' with binding '${policy.binding}'`;
    if (policy.failurePolicy === 'Ignore') {
      console.error(`${source} ignored: ${(error as Error).message}`);
      return write.object;
    }
    const why = `${source} denied request: ${(error as Error).message}`;
    throw new ApiError(403, 'Invalid', why, { kind: write.resource.plural, causes: [{ reason: '', message: why }] });
  }
}

/** One false condition decides, even if another cannot be evaluated. */
function matchesConditions({ matchConditions }: Policy, bindings: Bindings): boolean {
  const errors: unknown[] = [];
  for (const { matches } of matchConditions) {
    try {
      if (matches(bindings) !== true) return false;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return true;
}

/** A `test` that fails means "not this object", any other operation that fails is an error. */
function patched(object: KubernetesObject, operations: unknown): KubernetesObject {
  try {
    return applyJsonPatch(object, operations);
  } catch (error) {
    if (error instanceof JsonPatchError && error.testFailed) return object;
    throw error;
  }
}

function bindingsOf({ operation, resource, subresource, object, oldObject }: Write): Bindings {
  const { group, version, kind, plural } = resource;
  const { name = '', namespace = '' } = object.metadata;
  return {
    object,
    oldObject,
    request: {
      operation,
      kind: { group, version, kind },
      resource: { group, version, resource: plural },
      subResource: subresource ?? '',
      name,
      namespace,
    },
  };
}

function matchesRule(rule: Rule, { operation, resource, subresource }: Write): boolean {
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value);
  const { plural } = resource;
  const names = subresource
    ? [`${plural}/${subresource}`, `${plural}/*`, `*/${subresource}`, '*/*']
    : [plural, '*', '*/*'];
  return (
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
    has(rule.operations, operation) &&
    rule.resources.some((name) => names.includes(name))
  );
}

function matchesLabels(selector: LabelSelector, { metadata }: KubernetesObject): boolean {
  const labels = metadata.labels ?? {};
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels))
  );
}

function matchesRequirement(
  { key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
  labels: Readonly<Record<string, string>>,
): boolean {
  const present = Object.hasOwn(labels, key);
  switch (operator) {
    case 'Exists':
      return present;
    case 'DoesNotExist':
      return !present;
    case 'In':
      return present && values.includes(labels[key]!);
    case 'NotIn':
      return !present || !values.includes(labels[key]!);
  }
}
