import type { AuditEvent } from '../../../lab/cluster/audit.ts';

const FACTS = [
  'get virtualmachineinstances.kubevirt.io',
  'list virtualmachineinstancemigrations.kubevirt.io',
  'list pods',
];
/** What was done is told on the VMI, and stands on the VMIM. */
const TOLD = [
  'create events.events.k8s.io',
  'get events.events.k8s.io',
  'patch events.events.k8s.io',
  'get virtualmachineinstancemigrations.kubevirt.io',
  'patch virtualmachineinstancemigrations.kubevirt.io',
];
/** The target pod gets the port's identity, and loses its gates. */
const PATCH = ['patch pods'];
/** What Knative asks for before it starts the adapter. */
const WATCH = ['pods', 'virtualmachineinstances.kubevirt.io', 'virtualmachineinstancemigrations.kubevirt.io'].flatMap(
  (resource) => ['get', 'list', 'watch'].map((verb) => `${verb} ${resource}`),
);

/** What each ServiceAccount of `eventing/` has to be able to do, as `VERB RESOURCE` in any namespace, and no more. */
export const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'reuse-port': [...FACTS, ...TOLD, ...PATCH],
  'enable-dual-chassis': [...FACTS, ...TOLD, ...PATCH],
  'disable-dual-chassis': [...FACTS, ...TOLD],
  'release-port': [...FACTS, ...TOLD],
  reconcile: [...FACTS, ...TOLD, ...PATCH],
  'migrations-source': WATCH,
};

/** Name of the ServiceAccount that made a request. */
export function accountOf({ user }: AuditEvent): string {
  return user.username.split(':').at(-1) ?? '';
}

/** The right that a request took, as `VERB RESOURCE`. */
export function rightOf({ verb, objectRef }: AuditEvent): string {
  const { resource = '', apiGroup } = objectRef ?? {};
  return `${verb} ${resource}${apiGroup ? `.${apiGroup}` : ''}`;
}

export function refusedAmong(requests: readonly AuditEvent[]): AuditEvent[] {
  return requests.filter(({ responseStatus }) => responseStatus?.code === 403 || responseStatus?.code === 401);
}
