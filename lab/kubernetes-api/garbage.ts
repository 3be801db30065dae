import type { KubernetesObject } from './object.ts';
import { resources, type Target } from './resources.ts';
import type { Store } from './store.ts';

/**
 * What has to go after an object is gone: objects that it owned and nobody else owns (background propagation),
 * and all objects of a namespace. In a cluster this is the work of kube-controller-manager.
 */
export function collectGarbage(store: Store, removed: KubernetesObject): Target[] {
  return resources.flatMap((resource) =>
    store
      .list(resource)
      .filter((object) => isOrphan(store, object, removed))
      .map(({ metadata }) => ({ resource, namespace: metadata.namespace ?? '', name: metadata.name! })),
  );
}

function isOrphan(store: Store, { metadata }: KubernetesObject, removed: KubernetesObject): boolean {
  if (metadata.deletionTimestamp) return false;
  if (removed.kind === 'Namespace' && metadata.namespace === removed.metadata.name) return true;
  const owners = metadata.ownerReferences ?? [];
  return owners.some(({ uid }) => uid === removed.metadata.uid) && !owners.some(({ uid }) => exists(store, uid));
}

function exists(store: Store, uid: string): boolean {
  return resources.some((resource) => store.list(resource).some(({ metadata }) => metadata.uid === uid));
}
