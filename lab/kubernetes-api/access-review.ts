import { isRecord, type KubernetesObject } from './object.ts';
import { findResource } from './resources.ts';
import type { Store } from './store.ts';

interface Attributes {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs?: readonly string[];
}

type Role = KubernetesObject & { readonly rules?: readonly Rule[] };
type Binding = KubernetesObject & {
  readonly roleRef: { readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
};

/**
 * Answers a SubjectAccessReview by the ClusterRoles that are bound to the user everywhere, as RBAC does. Requests here are not
 * authorized by it: everybody with the token may do everything.
 */
export function reviewAccess(store: Store, review: unknown): object {
  const spec = isRecord(review) && isRecord(review.spec) ? review.spec : {};
  const user = String(spec.user ?? '');
  const attributes = spec.resourceAttributes as Attributes;
  const roles = new Map(store.list(CLUSTER_ROLES).map((role) => [role.metadata.name, role as Role]));
  const bound = (store.list(CLUSTER_ROLE_BINDINGS) as Binding[])
    .filter(({ subjects = [] }) => subjects.some((subject) => userOf(subject) === user))
    .map(({ roleRef }) => roles.get(roleRef.name));
  const allowed = bound.some((role) => role?.rules?.some((rule) => isGranted(rule, attributes)));
  return { ...(review as object), status: { allowed, ...(!allowed && { reason: 'no RBAC policy matched' }) } };
}

const CLUSTER_ROLES = findResource('rbac.authorization.k8s.io', 'v1', 'clusterroles')!;
const CLUSTER_ROLE_BINDINGS = findResource('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings')!;

function userOf({ kind, name, namespace }: NonNullable<Binding['subjects']>[number]): string {
  return kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : name;
}

function isGranted(rule: Rule, { verb, group = '', resource, subresource }: Attributes): boolean {
  const name = subresource ? `${resource}/${subresource}` : resource;
  const has = (values: readonly string[] | undefined, value: string) =>
    values?.some((each) => each === '*' || each === value) === true;
  return has(rule.apiGroups, group) && has(rule.resources, name) && has(rule.verbs, verb);
}
