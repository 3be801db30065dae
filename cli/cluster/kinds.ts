import type { Kind } from './api.ts';

/** The kinds that are read or written here, by the versions that the matrix of docs/guide.md has. */
export const KINDS = {
  namespaces: { apiVersion: 'v1', plural: 'namespaces' },
  nodes: { apiVersion: 'v1', plural: 'nodes' },
  pods: { apiVersion: 'v1', plural: 'pods' },
  configMaps: { apiVersion: 'v1', plural: 'configmaps' },
  secrets: { apiVersion: 'v1', plural: 'secrets' },
  services: { apiVersion: 'v1', plural: 'services' },
  serviceAccounts: { apiVersion: 'v1', plural: 'serviceaccounts' },
  events: { apiVersion: 'v1', plural: 'events' },
  deployments: { apiVersion: 'apps/v1', plural: 'deployments' },
  networkPolicies: { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies' },
  clusterRoles: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles' },
  clusterRoleBindings: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterrolebindings' },
  accessReviews: { apiVersion: 'authorization.k8s.io/v1', plural: 'subjectaccessreviews' },
  validatingPolicies: { apiVersion: 'admissionregistration.k8s.io/v1', plural: 'validatingadmissionpolicies' },
  validatingBindings: { apiVersion: 'admissionregistration.k8s.io/v1', plural: 'validatingadmissionpolicybindings' },
  kubevirts: { apiVersion: 'kubevirt.io/v1', plural: 'kubevirts' },
  vms: { apiVersion: 'kubevirt.io/v1', plural: 'virtualmachines' },
  vmis: { apiVersion: 'kubevirt.io/v1', plural: 'virtualmachineinstances' },
  migrations: { apiVersion: 'kubevirt.io/v1', plural: 'virtualmachineinstancemigrations' },
  knativeServices: { apiVersion: 'serving.knative.dev/v1', plural: 'services' },
  brokers: { apiVersion: 'eventing.knative.dev/v1', plural: 'brokers' },
  triggers: { apiVersion: 'eventing.knative.dev/v1', plural: 'triggers' },
  transforms: { apiVersion: 'eventing.knative.dev/v1alpha1', plural: 'eventtransforms' },
  apiServerSources: { apiVersion: 'sources.knative.dev/v1', plural: 'apiserversources' },
  pingSources: { apiVersion: 'sources.knative.dev/v1', plural: 'pingsources' },
} as const satisfies Record<string, Kind>;

/** Versions in which an API server may offer MutatingAdmissionPolicy, the newest first (1.36, and 1.34 by a flag). */
export const GATE_VERSIONS = ['v1', 'v1beta1'] as const;

export type GateVersion = (typeof GATE_VERSIONS)[number];

export function gateKinds(version: GateVersion): { readonly policies: Kind; readonly bindings: Kind } {
  const apiVersion = `admissionregistration.k8s.io/${version}`;
  return {
    policies: { apiVersion, plural: 'mutatingadmissionpolicies' },
    bindings: { apiVersion, plural: 'mutatingadmissionpolicybindings' },
  };
}
