import { isDeepStrictEqual } from 'node:util';
import { isRecord } from './object.ts';

/** Lists that Kubernetes' types merge by a key (`patchMergeKey`), by the name of the field; all others are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  env: 'name',
  ephemeralContainers: 'name',
  imagePullSecrets: 'name',
  initContainers: 'name',
  ownerReferences: 'uid',
  podIPs: 'ip',
  hostIPs: 'ip',
  resourceClaims: 'name',
  schedulingGates: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
  volumes: 'name',
  addresses: 'type',
};

/** Lists of plain values that are merged as sets. */
const sets: ReadonlySet<string> = new Set(['finalizers']);

/** Strategic merge patch as core/v1 types take it: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
export function strategicMerge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  if (patch.$patch === 'replace') return without(patch, '$patch');
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$deleteFromPrimitiveList/')) {
      const list = name.slice('$deleteFromPrimitiveList/'.length);
      result[list] = asList(result[list]).filter((item) => !asList(value).includes(item));
    } else if (name.startsWith('$')) {
      // `$setElementOrder` and `$retainKeys` only order and prune what the same patch already says.
    } else if (value === null || (isRecord(value) && value.$patch === 'delete')) {
      delete result[name];
    } else {
      result[name] = Array.isArray(value) ? mergeList(name, result[name], value) : strategicMerge(result[name], value);
    }
  }
  return result;
}

function mergeList(name: string, target: unknown, patch: readonly unknown[]): unknown[] {
  if (patch.some((item) => isRecord(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !(isRecord(item) && item.$patch === 'replace'));
  }
  if (sets.has(name)) return [...new Set([...asList(target), ...patch])];
  const mergeKey = mergeKeys[name];
  if (mergeKey === undefined) return [...patch];
  const result = [...asList(target)];
  for (const item of patch) {
    if (!isRecord(item)) continue;
    const index = result.findIndex((old) => isRecord(old) && isDeepStrictEqual(old[mergeKey], item[mergeKey]));
    if (item.$patch === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (index < 0) {
      result.push(item);
    } else {
      result[index] = strategicMerge(result[index], item);
    }
  }
  return result;
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function without(record: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: _, ...rest } = record;
  return rest;
}
