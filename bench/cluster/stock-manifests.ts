export const NAMESPACE = 'ovn-handover';
/** A label of all that is made for the bench. */
export const OURS = 'ovn-handover.dev/bench';

const SOURCE = 'bench-source';
const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'migrations', namespace: NAMESPACE };
const CORE = { apiVersion: 'v1' };
const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1' };

function metadata(name: string): object {
  return { name, namespace: NAMESPACE, labels: { [OURS]: 'yes' } };
}

/** What brings the creation of a ConfigMap to functions, by the broker that ours have. */
export function manifestsOf(functions: readonly string[]): object[] {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: SOURCE };
  const subjects = [{ kind: 'ServiceAccount', name: SOURCE, namespace: NAMESPACE }];
  const resources = [{ ...CORE, kind: 'ConfigMap', selector: { matchLabels: { [OURS]: 'yes' } } }];
  return [
    { ...CORE, kind: 'ServiceAccount', metadata: metadata(SOURCE) },
    { ...RBAC, kind: 'Role', metadata: metadata(SOURCE), rules },
    { ...RBAC, kind: 'RoleBinding', metadata: metadata(SOURCE), roleRef, subjects },
    {
      apiVersion: 'sources.knative.dev/v1',
      kind: 'ApiServerSource',
      metadata: metadata(SOURCE),
      spec: { serviceAccountName: SOURCE, mode: 'Resource', resources, sink: { ref: BROKER } },
    },
    ...functions.map(triggerOf),
  ];
}

function triggerOf(name: string): object {
  const filters = [{ exact: { kind: 'ConfigMap' } }, { exact: { type: 'dev.knative.apiserver.resource.add' } }];
  const ref = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name, namespace: NAMESPACE };
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: metadata(name),
    spec: { broker: BROKER.name, filters, subscriber: { ref } },
  };
}

/** Its creation is an event that wakes them. */
export function wakingObject(): object {
  return { ...CORE, kind: 'ConfigMap', metadata: metadata(`wake-${Date.now()}`) };
}
