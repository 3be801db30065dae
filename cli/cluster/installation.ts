/** What `eventing/` and `npm run deploy` call what they bring. */
export const NAMESPACE = 'ovn-handover';
export const SETTINGS = 'ovn-handover';
export const CERTIFICATES = 'ovn-client-tls';
export const GATE_POLICY = 'ovn-handover-scheduling-gate';
/** Each narrows a right to patch to what is ours. */
export const PATCH_POLICIES = ['ovn-handover-pod-patch', 'ovn-handover-migration-patch'] as const;
export const BROKER = 'migrations';
export const FUNCTIONS = [
  'reuse-port',
  'enable-dual-chassis',
  'disable-dual-chassis',
  'release-port',
  'reconcile',
] as const;
/** Each takes its scheduling gate off a target, which waits for it. */
export const WAITED_FOR = ['reuse-port', 'enable-dual-chassis'] as const;
export const TRIGGERS = [...FUNCTIONS, 'reconcile-deleted-pods'] as const;
export const API_SERVER_SOURCES = ['migrations', 'launcher-pods'] as const;
export const PING_SOURCE = 'reconcile';
/** Everything of ours that is in no namespace begins so. */
export const CLUSTER_PREFIX = 'ovn-handover-';

/** Keys of the Secret, each with the file that a function reads it from. */
export const CERTIFICATE_KEYS = { cert: 'OVN_CERT', key: 'OVN_KEY', cacert: 'OVN_CA' } as const;
