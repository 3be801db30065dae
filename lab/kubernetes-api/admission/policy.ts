import { isRecord } from '../object.ts';
import { compile, type Expression } from './expression.ts';

/** A MutatingAdmissionPolicy that a binding has put into effect. */
export interface Policy {
  readonly name: string;
  readonly binding: string;
  readonly rules: readonly Rule[];
  readonly objectSelector: LabelSelector;
  readonly matchConditions: readonly { readonly name: string; readonly matches: Expression }[];
  /** Each evaluates to a list of JSON Patch operations. */
  readonly mutations: readonly Expression[];
  readonly failurePolicy: 'Fail' | 'Ignore';
}

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  /** `pods`, `pods/status`, `*`, `pods/*`. */
  readonly resources: readonly string[];
  readonly operations: readonly string[];
}

/** `meta/v1` LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `admissionregistration.k8s.io/${version}`);

/**
 * Puts policies into effect: each once per binding, none without one, in the order of their names.
 * @throws Error naming the object and the field, when anything in it cannot be honoured here: a policy is never
 * left out or followed in part.
 */
export function readPolicies(objects: readonly unknown[]): Policy[] {
  const documents = objects.map(readDocument);
  const policies = new Map(documents.filter(isKind('MutatingAdmissionPolicy')).map(({ name, spec }) => [name, spec]));
  return documents
    .filter(isKind('MutatingAdmissionPolicyBinding'))
    .map((binding) => {
      const at = `MutatingAdmissionPolicyBinding ${binding.name}`;
      onlyFields(`${at}: spec`, binding.spec, ['policyName']);
      const name = String(binding.spec.policyName);
      const spec = policies.get(name);
      if (!spec) throw new Error(`${at}: there is no MutatingAdmissionPolicy ${name}`);
      return readPolicy(name, binding.name, spec);
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Document {
  readonly kind: string;
  readonly name: string;
  readonly spec: Record<string, unknown>;
}

const isKind = (kind: string) => (document: Document) => document.kind === kind;

function readDocument(object: unknown): Document {
  const { apiVersion, kind, metadata, spec } = isRecord(object) ? object : {};
  if (!apiVersions.includes(String(apiVersion)) || !/^MutatingAdmissionPolicy(Binding)?$/.test(String(kind))) {
    throw new Error(`${apiVersion} ${kind} is no MutatingAdmissionPolicy and no MutatingAdmissionPolicyBinding`);
  }
  if (!isRecord(metadata) || typeof metadata.name !== 'string' || !isRecord(spec)) {
    throw new Error(`${kind}: metadata.name and spec are required`);
  }
  return { kind: String(kind), name: metadata.name, spec };
}

function readPolicy(name: string, binding: string, spec: Record<string, unknown>): Policy {
  const at = `MutatingAdmissionPolicy ${name}: spec`;
  onlyFields(at, spec, ['matchConstraints', 'matchConditions', 'mutations', 'failurePolicy', 'reinvocationPolicy']);
  const { matchConstraints, matchConditions, mutations, failurePolicy = 'Fail', reinvocationPolicy } = spec;
  if (failurePolicy !== 'Fail' && failurePolicy !== 'Ignore') {
    throw new Error(`${at}.failurePolicy: must be Fail or Ignore, but is ${failurePolicy}`);
  }
  if (reinvocationPolicy !== 'Never') {
    throw new Error(`${at}.reinvocationPolicy: must be Never, but is ${reinvocationPolicy}`);
  }
  const { resourceRules, objectSelector = {} } = record(`${at}.matchConstraints`, matchConstraints, [
    'resourceRules',
    'objectSelector',
  ]);
  return {
    name,
    binding,
    failurePolicy,
    rules: list(`${at}.matchConstraints.resourceRules`, resourceRules).map(readRule),
    objectSelector: record(`${at}.matchConstraints.objectSelector`, objectSelector, [
      'matchLabels',
      'matchExpressions',
    ]),
    matchConditions: list(`${at}.matchConditions`, matchConditions ?? []).map((item, index) => {
      const where = `${at}.matchConditions[${index}]`;
      const condition = record(where, item, ['name', 'expression']);
      return { name: String(condition.name), matches: compileAt(`${where}.expression`, condition.expression) };
    }),
    mutations: list(`${at}.mutations`, mutations).map((item, index) => {
      const where = `${at}.mutations[${index}]`;
      const mutation = record(where, item, ['patchType', 'jsonPatch']);
      if (mutation.patchType !== 'JSONPatch') {
        throw new Error(`${where}.patchType: must be JSONPatch, but is ${mutation.patchType}`);
      }
      const { expression } = record(`${where}.jsonPatch`, mutation.jsonPatch, ['expression']);
      return compileAt(`${where}.jsonPatch.expression`, expression);
    }),
  };

  function readRule(item: unknown, index: number): Rule {
    const where = `${at}.matchConstraints.resourceRules[${index}]`;
    const rule = record(where, item, ['apiGroups', 'apiVersions', 'resources', 'operations']);
    const strings = (field: string) => list(`${where}.${field}`, rule[field]).map(String);
    return {
      apiGroups: strings('apiGroups'),
      apiVersions: strings('apiVersions'),
      resources: strings('resources'),
      operations: strings('operations'),
    };
  }
}

function compileAt(at: string, expression: unknown): Expression {
  try {
    return compile(String(expression));
  } catch (error) {
    throw new Error(`${at}: cannot be evaluated here: ${(error as Error).message}`);
  }
}

function record(at: string, value: unknown, fields: readonly string[]): Record<string, unknown> {
  if (!isRecord(value)) throw new Error(`${at}: must be an object`);
  onlyFields(at, value, fields);
  return value;
}

function list(at: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${at}: must be a list`);
  return value;
}

function onlyFields(at: string, value: Record<string, unknown>, fields: readonly string[]): void {
  const other = Object.keys(value).filter((field) => !fields.includes(field));
  if (other.length > 0)
    throw new Error(`${at}: ${other.join(', ')} not supported here (supported: ${fields.join(', ')})`);
}
