import { isDeepStrictEqual } from 'node:util';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  invalidValue,
  notFound,
  required,
  staleResourceVersion,
} from './errors.ts';
import { collectGarbage } from './garbage.ts';
import { decodeObject, keptMetadata, newMetadata, tidy } from './metadata.ts';
import { type KubernetesObject, timestamp } from './object.ts';
import { applyPatchBody } from './patches.ts';
import { bindPod, type Pod, podGracePeriod } from './pods.ts';
import { findResource, isCustom, type Resource, type Target } from './resources.ts';
import type { Store } from './store.ts';
import {
  finishCreate,
  nextGeneration,
  prepareForCreate,
  prepareForUpdate,
  validateCreate,
  validateUpdate,
} from './strategy.ts';

/** `meta/v1` DeleteOptions, as far as they are honoured. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** What a write is shown to before it is stored; it may return a changed object, or throw an ApiError to deny it. */
export type AdmissionController = (write: {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly resource: Resource;
  readonly subresource?: string | undefined;
  readonly object: KubernetesObject;
  readonly oldObject: KubernetesObject | null;
}) => KubernetesObject;

/** The verbs of the API on the store, by the rules of the API server. All throw ApiError. */
export class Operations {
  readonly #store: Store;
  readonly #admission: AdmissionController;

  constructor(store: Store, admission: AdmissionController) {
    this.#store = store;
    this.#admission = admission;
  }

  get({ resource, namespace, name }: Target): KubernetesObject {
    const object = this.#store.get(resource, namespace, name);
    if (!object) throw notFound(resource, name);
    return object;
  }

  create(resource: Resource, namespace: string, body: unknown): KubernetesObject {
    if (resource.namespaced && !this.#store.get(namespaces, '', namespace)) throw notFound(namespaces, namespace);
    const decoded = decodeObject(resource, namespace, body);
    if (decoded.metadata.resourceVersion) {
      throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
    }
    if (!decoded.metadata.name && !decoded.metadata.generateName) {
      throw invalid(resource, '', [required('metadata.name', 'name or generateName is required')]);
    }
    const prepared = prepareForCreate(resource, { ...decoded, metadata: newMetadata(decoded.metadata) });
    const admitted = this.#admission({ operation: 'CREATE', resource, object: prepared, oldObject: null });
    const name = admitted.metadata.name!;
    const errors = validateCreate(resource, admitted);
    if (errors.length > 0) throw invalid(resource, name, errors);
    if (this.#store.get(resource, namespace, name)) throw alreadyExists(resource, name);
    return this.#store.put(resource, finishCreate(resource, tidy(admitted)));
  }

  replace(target: Target, body: unknown): KubernetesObject {
    const { resource, namespace, name } = target;
    const next = decodeObject(resource, namespace, body);
    if (next.metadata.name !== name) {
      throw badRequest(
        `the name of the object (${next.metadata.name ?? ''}) does not match the name on the URL (${name})`,
      );
    }
    const current = this.get(target);
    const { uid, resourceVersion } = next.metadata;
    if (uid && uid !== current.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
      throw conflict(resource, name, why);
    }
    if (!resourceVersion && isCustom(resource)) {
      throw invalid(resource, name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
    }
    return this.#update(target, next, current);
  }

  patch(target: Target, contentType: string, body: unknown): KubernetesObject {
    const current = this.get(target);
    const patched = applyPatchBody(target.resource, contentType, current, body);
    for (const field of ['name', 'uid'] as const) {
      const value = patched.metadata?.[field];
      if (value !== undefined && value !== current.metadata[field]) {
        throw invalid(target.resource, target.name, [invalidValue(`metadata.${field}`, value, 'field is immutable')]);
      }
    }
    return this.#update(target, decodeObject(target.resource, target.namespace, patched), current);
  }

  /** Assigns a pod to a node (POST pods/NAME/binding). */
  bind(
    target: Target,
    binding: { target?: { name?: string }; metadata?: { annotations?: Record<string, string> } },
  ): void {
    const node = binding.target?.name;
    if (!node) throw invalid({ group: '', kind: 'Binding' }, target.name, [required('target.name', '')]);
    const pod = this.get(target) as Pod;
    this.#store.put(target.resource, bindPod(pod, node, binding.metadata?.annotations));
  }

  /**
   * Returns the object as it was last seen, and whether it is gone already (no finalizer, nothing to end gracefully). A pod
   * is marked for deletion before it goes, also where both come at once: its watchers see two writes.
   */
  delete(target: Target, options: DeleteOptions): { object: KubernetesObject; gone: boolean } {
    const { resource } = target;
    const current = this.get(target);
    checkPreconditions(target, current, options);
    const requested = options.gracePeriodSeconds;
    const isPod = resource.kind === 'Pod';
    const grace = isPod ? podGracePeriod(current as Pod, requested) : 0;
    const goesNow = grace === 0 && !current.metadata.finalizers?.length;
    if (goesNow && !isPod) return { object: this.#remove(resource, current), gone: true };

    const { deletionTimestamp, deletionGracePeriodSeconds: pending } = current.metadata;
    const isMarked = deletionTimestamp && (requested === undefined || grace >= (pending ?? 0));
    if (isMarked && !goesNow) return { object: current, gone: false };
    const marked = isMarked ? current : this.#mark(resource, current, grace);
    return goesNow ? { object: this.#remove(resource, marked), gone: true } : { object: marked, gone: false };
  }

  #mark(resource: Resource, current: KubernetesObject, grace: number): KubernetesObject {
    const { generation } = current.metadata;
    const metadata = {
      ...current.metadata,
      deletionTimestamp: timestamp(new Date(Date.now() + grace * 1000)),
      deletionGracePeriodSeconds: grace,
      ...(generation !== undefined && { generation: generation + 1 }),
    };
    return this.#store.put(resource, { ...current, metadata });
  }

  #update(target: Target, next: KubernetesObject, current: KubernetesObject): KubernetesObject {
    const { resource, subresource } = target;
    const { resourceVersion } = next.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw staleResourceVersion(resource, target.name);
    }
    const prepared = prepareForUpdate(resource, subresource, next, current);
    const admitted = this.#admission({
      operation: 'UPDATE',
      resource,
      subresource,
      object: prepared,
      oldObject: current,
    });
    const metadata = {
      ...keptMetadata(admitted.metadata, current.metadata),
      resourceVersion: current.metadata.resourceVersion!,
      ...nextGeneration(resource, admitted, current),
    };
    const updated = tidy({ ...admitted, metadata });
    const errors = validateUpdate(resource, updated, current);
    if (errors.length > 0) throw invalid(resource, target.name, errors);
    if (isDeepStrictEqual(updated, current)) return current;
    const ended = updated.metadata.deletionTimestamp && !updated.metadata.finalizers?.length;
    if (ended && !updated.metadata.deletionGracePeriodSeconds) return this.#remove(resource, updated);
    return this.#store.put(resource, updated);
  }

  #remove(resource: Resource, last: KubernetesObject): KubernetesObject {
    const removed = this.#store.remove(resource, last);
    for (const dependent of collectGarbage(this.#store, removed)) {
      const { namespace, name } = dependent;
      if (this.#store.get(dependent.resource, namespace, name)) this.delete(dependent, {});
    }
    return removed;
  }
}

const namespaces = findResource('', 'v1', 'namespaces')!;

function checkPreconditions({ resource, name }: Target, { metadata }: KubernetesObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid && uid !== metadata.uid) {
    throw conflict(
      resource,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). ` +
        'The object might have been deleted and then recreated',
    );
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      resource,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record ` +
        `(${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
