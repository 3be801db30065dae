import { FUNCTIONS } from '../cluster/installation.ts';
import type { Right } from './seen.ts';

type Needed = Pick<Right, 'verb' | 'group' | 'resource'>;

const KUBEVIRT = 'kubevirt.io';

/** What each function needs to know the facts, and to record what it did. */
const FACTS: readonly Needed[] = [
  { verb: 'get', group: KUBEVIRT, resource: 'virtualmachineinstances' },
  ...['get', 'list', 'patch'].map((verb) => ({ verb, group: KUBEVIRT, resource: 'virtualmachineinstancemigrations' })),
  { verb: 'list', group: '', resource: 'pods' },
  ...['create', 'get', 'patch'].map((verb) => ({ verb, group: 'events.k8s.io', resource: 'events' })),
];
const PATCHING = ['reuse-port', 'enable-dual-chassis', 'reconcile'];
const PATCH: Needed = { verb: 'patch', group: '', resource: 'pods' };
const WATCHED: readonly Omit<Needed, 'verb'>[] = [
  { group: '', resource: 'pods' },
  { group: KUBEVIRT, resource: 'virtualmachineinstances' },
  { group: KUBEVIRT, resource: 'virtualmachineinstancemigrations' },
];

/** What each ServiceAccount of `eventing/` has to be able to do, in every namespace. */
export const NEEDED: readonly (Needed & Pick<Right, 'account'>)[] = [
  ...FUNCTIONS.flatMap((account) =>
    [...FACTS, ...(PATCHING.includes(account) ? [PATCH] : [])].map((right) => ({ account, ...right })),
  ),
  ...WATCHED.flatMap((watched) =>
    ['get', 'list', 'watch'].map((verb) => ({ account: 'migrations-source', verb, ...watched })),
  ),
];
