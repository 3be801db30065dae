/** One kind of object that the API serves. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
}

/** One object, or one of its subresources. */
export interface Target {
  readonly resource: Resource;
  /** Empty for cluster-wide resources. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: string | undefined;
}

const core = { group: '', version: 'v1' };
const kubevirt = { group: 'kubevirt.io', version: 'v1', namespaced: true };

export const resources: readonly Resource[] = [
  {
    ...core,
    plural: 'pods',
    singular: 'pod',
    kind: 'Pod',
    shortNames: ['po'],
    namespaced: true,
    subresources: ['status', 'binding'],
  },
  {
    ...core,
    plural: 'events',
    singular: 'event',
    kind: 'Event',
    shortNames: ['ev'],
    namespaced: true,
    subresources: [],
  },
  {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    singular: 'event',
    kind: 'Event',
    shortNames: ['ev'],
    namespaced: true,
    subresources: [],
  },
  {
    ...core,
    plural: 'nodes',
    singular: 'node',
    kind: 'Node',
    shortNames: ['no'],
    namespaced: false,
    subresources: ['status'],
  },
  {
    ...core,
    plural: 'namespaces',
    singular: 'namespace',
    kind: 'Namespace',
    shortNames: ['ns'],
    namespaced: false,
    subresources: ['status'],
  },
  {
    ...kubevirt,
    plural: 'virtualmachines',
    singular: 'virtualmachine',
    kind: 'VirtualMachine',
    shortNames: ['vm', 'vms'],
    subresources: ['status'],
  },
  {
    ...kubevirt,
    plural: 'virtualmachineinstances',
    singular: 'virtualmachineinstance',
    kind: 'VirtualMachineInstance',
    shortNames: ['vmi', 'vmis'],
    subresources: [],
  },
  {
    ...kubevirt,
    plural: 'virtualmachineinstancemigrations',
    singular: 'virtualmachineinstancemigration',
    kind: 'VirtualMachineInstanceMigration',
    shortNames: ['vmim', 'vmims'],
    subresources: ['status'],
  },
  // What a whole cluster has besides: stored as it comes, its status too, with no rules of its own.
  ...stored('v1', 'configmaps:ConfigMap:cm secrets:Secret services:Service:svc serviceaccounts:ServiceAccount:sa'),
  ...stored('apps/v1', 'deployments:Deployment:deploy'),
  ...stored('networking.k8s.io/v1', 'networkpolicies:NetworkPolicy:netpol'),
  ...stored('rbac.authorization.k8s.io/v1', '/clusterroles:ClusterRole /clusterrolebindings:ClusterRoleBinding'),
  ...stored('authorization.k8s.io/v1', '/subjectaccessreviews:SubjectAccessReview'),
  ...['v1', 'v1beta1'].flatMap((version) =>
    stored(
      `admissionregistration.k8s.io/${version}`,
      '/mutatingadmissionpolicies:MutatingAdmissionPolicy /mutatingadmissionpolicybindings:MutatingAdmissionPolicyBinding',
    ),
  ),
  ...stored(
    'admissionregistration.k8s.io/v1',
    '/validatingadmissionpolicies:ValidatingAdmissionPolicy /validatingadmissionpolicybindings:ValidatingAdmissionPolicyBinding',
  ),
  ...stored('kubevirt.io/v1', 'kubevirts:KubeVirt:kv'),
  ...stored('serving.knative.dev/v1', 'services:Service:ksvc'),
  ...stored('eventing.knative.dev/v1', 'brokers:Broker triggers:Trigger'),
  ...stored('eventing.knative.dev/v1alpha1', 'eventtransforms:EventTransform'),
  ...stored('sources.knative.dev/v1', 'apiserversources:ApiServerSource pingsources:PingSource'),
];

/** @param kinds each as `plural:Kind:shortName`, with a slash before those that are in no namespace */
function stored(apiVersion: string, kinds: string): Resource[] {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return kinds.split(' ').map((text) => {
    const namespaced = !text.startsWith('/');
    const [plural, kind, ...shortNames] = text.replace('/', '').split(':');
    const singular = kind!.toLowerCase();
    return {
      group: group!,
      version: version!,
      plural: plural!,
      singular,
      kind: kind!,
      shortNames,
      namespaced,
      subresources: [],
    };
  });
}

export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `pods`, or `virtualmachines.kubevirt.io`: how Kubernetes writes a resource in its messages. */
export function qualifiedName(resource: Pick<Resource, 'group' | 'plural'>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** Main verbs of a resource with a status subresource ignore `.status`, and its status verbs all but `.status`. */
export function hasStatus(resource: Resource): boolean {
  return resource.subresources.includes('status');
}

/** Custom resources and types built into the API server differ in a few rules. */
export function isCustom(resource: Resource): boolean {
  return resource.group.includes('.') && !resource.group.endsWith('.k8s.io');
}

export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return resources.find((r) => r.group === group && r.version === version && r.plural === plural);
}
