import { apiVersionOf, type Resource } from './resources.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** Answers of the paths by which clients find out what is served: `/api`, `/apis`, `/apis/GROUP`, `/api/v1`, …, `/version`. */
export function discovery(path: string, resources: readonly Resource[]): unknown {
  const [root, group, version, ...more] = path.split('/').filter(Boolean);
  if (more.length > 0) return undefined;
  if (root === 'version' && group === undefined) return versionInfo;
  if (root === 'api') {
    if (group === undefined) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    return version === undefined ? resourceList(resources, '', group) : undefined;
  }
  if (root !== 'apis') return undefined;
  const groups = [...new Set(resources.map((resource) => resource.group))].filter((each) => each !== '');
  const apiGroup = (name: string) => groupOf(resources, name);
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(apiGroup) };
  if (!groups.includes(group)) return undefined;
  return version === undefined
    ? { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) }
    : resourceList(resources, group, version);
}

/** The release whose rules are followed here. */
const versionInfo = { major: '1', minor: '34', gitVersion: 'v1.34.0+ovn-handover-lab', platform: 'linux/amd64' };

function groupOf(resources: readonly Resource[], group: string) {
  const versions = [...new Set(resources.filter((r) => r.group === group).map((r) => r.version))].map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(resources: readonly Resource[], group: string, version: string): unknown {
  const served = resources.filter((r) => r.group === group && r.version === version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: served.flatMap((resource) => [
      apiResource(resource),
      ...resource.subresources.map(subresourceOf(resource)),
    ]),
  };
}

const apiResource = ({ plural, singular, kind, shortNames, namespaced }: Resource) => ({
  name: plural,
  singularName: singular,
  namespaced,
  kind,
  verbs,
  shortNames,
});

const subresourceOf =
  ({ plural, namespaced, kind }: Resource) =>
  (subresource: string) => ({
    name: `${plural}/${subresource}`,
    singularName: '',
    namespaced,
    kind: subresource === 'binding' ? 'Binding' : kind,
    verbs: subresource === 'binding' ? ['create'] : ['get', 'patch', 'update'],
  });
