import { OPT_IN_ANNOTATION, type VmiReference } from '../../handover/decision/kubevirt.ts';
import type { World } from '../../handover/observe.ts';
import type { ClusterApi, Kind, KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PREFIX, GATE_POLICY, NAMESPACE } from '../cluster/installation.ts';
import { GATE_VERSIONS, gateKinds, KINDS } from '../cluster/kinds.ts';
import { nameOf } from '../status/look.ts';
import type { Left, OwnObject } from './left.ts';

const EVENT_KINDS: readonly Kind[] = [
  KINDS.apiServerSources,
  KINDS.pingSources,
  KINDS.triggers,
  KINDS.transforms,
  KINDS.brokers,
];
const CLUSTER_KINDS: readonly Kind[] = [
  KINDS.clusterRoleBindings,
  KINDS.clusterRoles,
  KINDS.validatingBindings,
  KINDS.validatingPolicies,
];
/** Of annotations of ours on what is KubeVirt's. */
const ANNOTATION_PREFIX = 'ovn-handover.dev/';

/** @param world `undefined` where there are no settings: then it was found at rest before they went */
export async function readLeft(api: ClusterApi, world: World | undefined): Promise<Left> {
  const [gates, events, functions, functionPods, annotated, clusterObjects, namespace] = await Promise.all([
    readGates(api),
    all(api, EVENT_KINDS, NAMESPACE),
    all(api, [KINDS.knativeServices], NAMESPACE),
    readFunctionPods(api),
    readAnnotated(api),
    all(api, CLUSTER_KINDS).then((objects) => objects.filter(({ name }) => name.startsWith(CLUSTER_PREFIX))),
    api.get(KINDS.namespaces, NAMESPACE).then((found) => (found ? [ownObject(KINDS.namespaces, found)] : [])),
  ]);
  const recorded = world && (await world.northbound.recordedPorts()).map(({ vmi }) => vmi);
  const strays = world ? await world.northbound.strayRecords() : [];
  const migrating = world ? await readMigrating(api, world, recorded ?? []) : [];
  return { gates, migrating, events, functions, functionPods, recorded, strays, annotated, clusterObjects, namespace };
}

async function readGates(api: ClusterApi): Promise<readonly OwnObject[]> {
  for (const version of GATE_VERSIONS) {
    // All versions show the same objects.
    const { bindings, policies } = gateKinds(version);
    const found = await all(api, [bindings, policies]);
    const own = found.filter(({ name }) => name === GATE_POLICY);
    if (own.length > 0) return own;
  }
  return [];
}

async function readFunctionPods(api: ClusterApi): Promise<readonly string[]> {
  const pods = await api.list(KINDS.pods, { namespace: NAMESPACE, labels: 'serving.knative.dev/service' });
  return pods.map(({ metadata }) => metadata.name);
}

async function readMigrating(
  api: ClusterApi,
  { kubernetes }: World,
  recorded: readonly VmiReference[],
): Promise<readonly VmiReference[]> {
  const [migrating, instances] = await Promise.all([kubernetes.migratingVmis(), api.list(KINDS.vmis)]);
  const optedIn = instances.filter(({ metadata }) => metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined);
  const ours = new Set([
    ...optedIn.map(({ metadata: { namespace = 'default', name } }) => nameOf({ namespace, name })),
    ...recorded.map(nameOf),
  ]);
  const all = new Map(migrating.map((vmi) => [nameOf(vmi), vmi]));
  return [...all.values()].filter((vmi) => ours.has(nameOf(vmi)));
}

async function readAnnotated(api: ClusterApi): Promise<Left['annotated']> {
  const found = await Promise.all(
    [KINDS.pods, KINDS.migrations].map(async (kind) => {
      const objects = await api.list(kind, kind === KINDS.pods ? { labels: 'kubevirt.io=virt-launcher' } : {});
      return objects.map((object) => ({ ...ownObject(kind, object), annotations: ownAnnotations(object) }));
    }),
  );
  return found.flat().filter(({ annotations }) => annotations.length > 0);
}

function ownAnnotations({ metadata }: KubernetesObject): readonly string[] {
  return Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith(ANNOTATION_PREFIX));
}

async function all(api: ClusterApi, kinds: readonly Kind[], namespace?: string): Promise<readonly OwnObject[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) =>
      (await api.list(kind, namespace ? { namespace } : {})).map((each) => ownObject(kind, each)),
    ),
  );
  return lists.flat();
}

function ownObject(kind: Kind, { metadata }: KubernetesObject): OwnObject {
  const { name, namespace, deletionTimestamp } = metadata;
  return { kind, name, namespace, isEnding: deletionTimestamp !== undefined };
}
