import { applyPatch, type Operation } from 'rfc6902';
import { badRequest, unprocessable, unsupportedMediaType } from './errors.ts';
import { copy, isRecord, type KubernetesObject } from './object.ts';
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

/** A JSON Patch that cannot be applied to this object. */
export class JsonPatchError extends Error {
  /** Whether it is a `test` that failed, rather than a path that is not there. */
  readonly testFailed: boolean;

  constructor(message: string, testFailed: boolean) {
    super(message);
    this.name = 'JsonPatchError';
    this.testFailed = testFailed;
  }
}

/**
 * RFC 6902, on a copy.
 * @throws JsonPatchError when an operation fails; then the whole patch has failed.
 */
export function applyJsonPatch(current: KubernetesObject, operations: unknown): KubernetesObject {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON Patch must be a list of operations');
  const patched = copy(current);
  const error = applyPatch(patched, operations as Operation[]).find((result) => result !== null);
  if (error) throw new JsonPatchError(`JSON Patch: ${error.message}`, error.name === 'TestError');
  return patched;
}

/** kube-apiserver does not say which operation failed. */
function jsonPatch(current: KubernetesObject, operations: unknown): KubernetesObject {
  try {
    return applyJsonPatch(current, operations);
  } catch (error) {
    throw error instanceof JsonPatchError ? unprocessable() : error;
  }
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
