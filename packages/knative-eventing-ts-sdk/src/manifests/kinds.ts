import { closest, hint } from './problem.ts';

interface Group {
  readonly group: string;
  /** All that an API server of today has; where it is left out, any version may be meant. */
  readonly versions?: readonly string[];
  readonly kinds: readonly string[];
}

const V1 = ['v1'];
/** What Kubernetes (1.34 and later) and Knative (1.22) have themselves: of these API groups there are no other kinds. */
const GROUPS: readonly Group[] = [
  {
    group: '',
    versions: V1,
    kinds: [
      ...['Binding', 'ComponentStatus', 'ConfigMap', 'Endpoints', 'Event', 'LimitRange', 'Namespace', 'Node'],
      ...['PersistentVolume', 'PersistentVolumeClaim', 'Pod', 'PodTemplate', 'ReplicationController'],
      ...['ResourceQuota', 'Secret', 'Service', 'ServiceAccount'],
    ],
  },
  {
    group: 'apps',
    versions: V1,
    kinds: ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  },
  { group: 'batch', versions: V1, kinds: ['CronJob', 'Job'] },
  { group: 'autoscaling', versions: ['v2', 'v1'], kinds: ['HorizontalPodAutoscaler'] },
  { group: 'policy', versions: V1, kinds: ['PodDisruptionBudget'] },
  {
    group: 'rbac.authorization.k8s.io',
    versions: V1,
    kinds: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  },
  { group: 'coordination.k8s.io', kinds: ['Lease'] },
  { group: 'discovery.k8s.io', kinds: ['EndpointSlice'] },
  { group: 'events.k8s.io', kinds: ['Event'] },
  { group: 'networking.k8s.io', kinds: ['Ingress', 'IngressClass', 'IPAddress', 'NetworkPolicy', 'ServiceCIDR'] },
  { group: 'storage.k8s.io', kinds: ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'] },
  { group: 'eventing.knative.dev', versions: V1, kinds: ['Broker', 'Trigger'] },
  { group: 'eventing.knative.dev', kinds: ['EventPolicy', 'EventTransform', 'EventType', 'KafkaSink', 'RequestReply'] },
  { group: 'flows.knative.dev', versions: V1, kinds: ['Parallel', 'Sequence'] },
  { group: 'messaging.knative.dev', versions: V1, kinds: ['Channel', 'InMemoryChannel', 'Subscription'] },
  { group: 'messaging.knative.dev', kinds: ['KafkaChannel'] },
  { group: 'serving.knative.dev', versions: V1, kinds: ['Configuration', 'Revision', 'Route', 'Service'] },
  { group: 'serving.knative.dev', kinds: ['DomainMapping'] },
  { group: 'sinks.knative.dev', kinds: ['IntegrationSink', 'JobSink'] },
  {
    group: 'sources.knative.dev',
    versions: V1,
    kinds: ['ApiServerSource', 'ContainerSource', 'PingSource', 'SinkBinding'],
  },
  { group: 'sources.knative.dev', kinds: ['IntegrationSource', 'KafkaSource'] },
];

const CORE = GROUPS[0]!;

/** Why there is no such kind in this version of the API; `undefined` for what may be, such as kinds of other groups. */
export function whyNoKind(
  apiVersion: string,
  kind: string,
): { field: 'apiVersion' | 'kind'; what: string } | undefined {
  const possible = GROUPS.filter(({ kinds }) => kinds.includes(kind));
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  if (possible.length === 0) {
    const isCore = group === CORE.group && CORE.versions?.includes(version);
    return isCore
      ? { field: 'kind', what: `is ${kind}, which ${apiVersion} does not have.${hint(kind, CORE.kinds)}` }
      : undefined;
  }
  if (possible.some((each) => each.group === group && (each.versions?.includes(version) ?? true))) return undefined;
  const names = possible.flatMap((each) => each.versions?.map((of) => nameOf(each.group, of)) ?? [each.group]);
  const groups = possible.map((each) => each.group);
  const isOurs = GROUPS.some((each) => each.group === group) || closest(group, groups) !== undefined;
  return isOurs
    ? { field: 'apiVersion', what: `is ${apiVersion}, but a ${kind} is of ${names.join(' or ')}` }
    : undefined;
}

function nameOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
