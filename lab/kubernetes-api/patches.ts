import { applyPatch, type Operation } from 'rfc6902';
import { badRequest, unprocessable, unsupportedMediaType } from './errors.ts';
import { isRecord, type KubernetesObject } from './object.ts';
import { isCustom, type Resource } from './resources.ts';
import { strategicMerge } from './strategic-merge.ts';

const jsonPatchType = 'application/json-patch+json';
const mergePatchType = 'application/merge-patch+json';
const strategicMergePatchType = 'application/strategic-merge-patch+json';

/**
 * Applies a PATCH body to a copy of the object.
 * @throws ApiError 400 on a body that is no patch, 415 on a kind of patch that the resource does not take,
 * 422 on a JSON Patch that cannot be applied, for example because its `test` failed.
 */
export function applyPatchBody(
  resource: Resource,
  contentType: string,
  current: KubernetesObject,
  body: unknown,
): KubernetesObject {
  const accepted = [jsonPatchType, mergePatchType, ...(isCustom(resource) ? [] : [strategicMergePatchType])];
  if (!accepted.includes(contentType)) throw unsupportedMediaType(accepted);
  if (contentType === jsonPatchType) return jsonPatch(current, body);
  if (!isRecord(body)) throw badRequest('error decoding patch: a merge patch must be a JSON object');
  const merge = contentType === mergePatchType ? mergePatch : strategicMerge;
  return merge(current, body) as KubernetesObject;
}

/** RFC 6902, on a copy; also what a MutatingAdmissionPolicy's `jsonPatch` gives. */
export function jsonPatch(current: KubernetesObject, operations: unknown): KubernetesObject {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON Patch must be a list of operations');
  const patched = structuredClone(current);
  const failed = applyPatch(patched, operations as Operation[]).some((error) => error !== null);
  if (failed) throw unprocessable();
  return patched;
}

/** RFC 7396, section 2. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}
