import type { Answer, ApiClient } from './api-client.ts';

/** A kind of object, or a part of one, that the API server offers, with what can be done with it. */
interface Resource {
  /** Path of its group and version, e.g. `/apis/apps/v1`. */
  readonly root: string;
  /** `pods` or `pods/log`. */
  readonly name: string;
  /** As RBAC names it: `virtualmachines.kubevirt.io`, `pods/log`. */
  readonly qualified: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** All that the API server offers, in the version that it prefers. */
export async function discover(client: ApiClient): Promise<Resource[]> {
  const { body } = await client.send('GET', '/apis');
  const { groups } = body as { groups: { name: string; preferredVersion: { groupVersion: string } }[] };
  const roots = groups.map(({ name, preferredVersion }) => ({
    group: name,
    root: `/apis/${preferredVersion.groupVersion}`,
  }));
  const found = [{ group: '', root: '/api/v1' }, ...roots].map(async ({ group, root }) => {
    const list = (await client.send('GET', root)).body as { resources: Omit<Resource, 'root' | 'qualified'>[] };
    return list.resources.map((resource) => ({ ...resource, root, qualified: qualify(resource.name, group) }));
  });
  return (await Promise.all(found)).flat();
}

/** Where each right is tried: everywhere at once, in the functions' own namespace, in a tenant's, and in the system's. */
const NAMESPACES = ['ovn-handover', 'prod', 'kube-system'];

/**
 * Tries every verb on every resource as the client's user. Nothing is changed: the API server asks whether the user
 * may before it looks at what is asked for, the names do not exist, and all is marked as dry run.
 *
 * @returns `VERB RESOURCE` of what was not rejected, and how many tries were
 */
export async function sweep(
  client: ApiClient,
  resources: readonly Resource[],
): Promise<{ allowed: string[]; rejected: number }> {
  const tries = resources.flatMap((resource) =>
    resource.verbs.flatMap((verb) => placesOf(resource, verb).map((place) => ({ resource, verb, place }))),
  );
  const allowed = new Set<string>();
  let rejected = 0;
  await Promise.all(
    tries.map(async ({ resource, verb, place }) => {
      if (isRefusal(await attempt(client, verb, place))) rejected++;
      else allowed.add(`${verb} ${resource.qualified}`);
    }),
  );
  return { allowed: [...allowed].sort(), rejected };
}

/** Paths of the collection, or of an object in it, for each namespace. */
function placesOf({ root, name, namespaced }: Resource, verb: string): string[] {
  const [plural, subresource] = name.split('/');
  const isOfAll =
    ['list', 'watch', 'deletecollection'].includes(verb) || (verb === 'create' && subresource === undefined);
  const rest = isOfAll ? plural : [plural, 'no-such-name', subresource].filter(Boolean).join('/');
  if (!namespaced) return [`${root}/${rest}`];
  const everywhere = verb === 'list' || verb === 'watch' ? [`${root}/${rest}`] : [];
  return [...everywhere, ...NAMESPACES.map((namespace) => `${root}/namespaces/${namespace}/${rest}`)];
}

const JSON_BODY = { 'content-type': 'application/json' };
const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };

async function attempt(client: ApiClient, verb: string, path: string): Promise<Answer> {
  switch (verb) {
    case 'get':
    case 'list':
      return client.send('GET', path);
    case 'watch':
      return client.send('GET', `${path}?watch=true&timeoutSeconds=1`);
    case 'create':
      return client.send('POST', `${path}?dryRun=All`, JSON_BODY, '{}');
    case 'update':
      return client.send('PUT', `${path}?dryRun=All`, JSON_BODY, '{}');
    case 'patch':
      return client.send('PATCH', `${path}?dryRun=All`, MERGE_PATCH, '{}');
    case 'delete':
    case 'deletecollection':
      return client.send('DELETE', `${path}?dryRun=All`);
    default:
      throw new Error(`${path} can be asked to '${verb}', which the sweep does not know.`);
  }
}

/** The authorizer's own words; admission also answers 403, but only to who is authorized. */
export function isRefusal({ status, body }: Answer): boolean {
  return status === 403 && / cannot \S+ /.test((body as { message?: string }).message ?? '');
}

function qualify(name: string, group: string): string {
  const [plural, ...rest] = name.split('/');
  return [group === '' ? plural : `${plural}.${group}`, ...rest].join('/');
}
