import { OPT_IN_ANNOTATION } from '../../handover/decision/kubevirt.ts';
import type { ClusterApi, Kind, KubernetesObject } from '../cluster/api.ts';
import type { Conditioned } from '../cluster/conditions.ts';
import { CERTIFICATE_KEYS, GATE_POLICY, NAMESPACE, PATCH_POLICIES } from '../cluster/installation.ts';
import { GATE_VERSIONS, type GateVersion, gateKinds, KINDS } from '../cluster/kinds.ts';
import type { NorthboundOfMany } from '../cluster/northbound.ts';
import type { Databases, Session } from '../cluster/session.ts';
import { type Data, type Installed, readInstalled } from '../cluster/settings.ts';
import { forEach } from '../status/look.ts';
import type { Stage } from './finding.ts';
import { probeTheWay } from './probe.ts';
import { northboundOf, readChassis, readMembers, readSchema } from './read-ovn.ts';
import { NEEDED } from './rights.ts';
import type {
  Deployment,
  Interface,
  KnativeService,
  KubeVirt,
  Network,
  Policy,
  Read,
  Right,
  Seen,
  Source,
  Vm,
} from './seen.ts';

export interface ReadOptions {
  /** What is about to be installed, in place of what is. */
  readonly planned?: Installed;
  /** Whether an event is sent through the broker. */
  readonly probe: boolean;
}

const SKIPPED = { skipped: true } as const;
/** Kinds without which there is no migration, or nobody hears of one. */
const NEEDED_KINDS: readonly Kind[] = [
  KINDS.vmis,
  KINDS.migrations,
  KINDS.knativeServices,
  KINDS.brokers,
  KINDS.triggers,
  KINDS.apiServerSources,
  KINDS.pingSources,
];
const MAX_CONCURRENT = 4;

/** Reads all that the checks look at. What cannot be read is noted as that, and the rest is read all the same. */
export async function readAll(
  session: Session,
  { planned, probe }: ReadOptions,
): Promise<{ readonly seen: Seen; readonly stages: readonly Stage[] }> {
  const { api } = session;
  // Where nothing can be read at all, that is no finding.
  await api.at('version');
  const installed = await attempt(() => readInstalled(api));
  const services = await attempt(() => api.list<KnativeService>(KINDS.knativeServices, { namespace: NAMESPACE }));
  const own: Read<Installed> = planned ? { value: planned } : installed;
  const settings = part(own, (each) => each.settings);
  const certificates = part(own, (each) => each.certificates);
  const stages: Stage[] = [];
  if (readOf(settings) !== undefined || 'problem' in settings) stages.push('settings');
  const hasServices = (readOf(services)?.length ?? 0) > 0;
  if (planned === undefined && (stages.length > 0 || hasServices)) stages.push('installed');

  const brokers = await attempt(() => api.list<Conditioned>(KINDS.brokers, { namespace: NAMESPACE }));
  const ovn = await readOvn(session, readOf(settings), readOf(certificates));
  const cluster = await readCluster(api);
  const seen: Seen = {
    now: { value: Date.now() },
    ...cluster,
    settings,
    certificates,
    services,
    brokers,
    ...ovn.sections,
    vms: await attempt(() => readVms(api, ovn.northbound)),
    triggers: await attempt(() => api.list<Conditioned>(KINDS.triggers, { namespace: NAMESPACE })),
    sources: await attempt(async () => [
      ...(await api.list<Source>(KINDS.apiServerSources, { namespace: NAMESPACE })),
      ...(await api.list<Source>(KINDS.pingSources, { namespace: NAMESPACE })),
    ]),
    adapters: await attempt(() => api.list<Deployment>(KINDS.deployments, { namespace: NAMESPACE })),
    rights: stages.includes('installed') ? await attempt(() => readRights(api)) : SKIPPED,
    probe:
      probe && stages.includes('installed')
        ? await attempt(() => probeTheWay(api, session.exchange, readOf(brokers)?.[0]))
        : SKIPPED,
  };
  return { seen, stages };
}

type ClusterSection =
  | 'kubernetes'
  | 'kubevirts'
  | 'missingKinds'
  | 'namespaces'
  | 'knative'
  | 'kubeOvn'
  | 'gate'
  | 'patchPolicies'
  | 'nodes';

async function readCluster(api: ClusterApi): Promise<Pick<Seen, ClusterSection>> {
  const kubernetes = await attempt(async () => {
    const { gitVersion = '' } = (await api.at<{ readonly gitVersion: string }>('version')) ?? {};
    return { version: gitVersion, gate: await offeredGate(api) };
  });
  return {
    kubernetes,
    kubevirts: await attempt(() => api.list<KubeVirt>(KINDS.kubevirts)),
    missingKinds: await attempt(() => missingKinds(api)),
    namespaces: await attempt(() => api.list<KubernetesObject>(KINDS.namespaces)),
    nodes: await attempt(() => api.list<KubernetesObject>(KINDS.nodes)),
    knative: await attempt(async () => ({
      network: (
        await api.get<KubernetesObject & { data?: Data }>(KINDS.configMaps, 'config-network', 'knative-serving')
      )?.data,
      deployments: [
        ...(await api.list<Deployment>(KINDS.deployments, { namespace: 'knative-serving' })),
        ...(await api.list<Deployment>(KINDS.deployments, { namespace: 'knative-eventing' })),
      ],
    })),
    kubeOvn: await attempt(() => api.get<Deployment>(KINDS.deployments, 'kube-ovn-controller', 'kube-system')),
    gate: await attempt(async () => {
      const version = readOf(kubernetes)?.gate;
      if (version === undefined) return { name: GATE_POLICY, hasPolicy: false, hasBinding: false };
      const { policies, bindings } = gateKinds(version);
      return await policyAndBinding(api, policies, bindings, GATE_POLICY);
    }),
    patchPolicies: await attempt(() =>
      Promise.all(
        PATCH_POLICIES.map((name) => policyAndBinding(api, KINDS.validatingPolicies, KINDS.validatingBindings, name)),
      ),
    ),
  };
}

async function policyAndBinding(api: ClusterApi, policies: Kind, bindings: Kind, name: string): Promise<Policy> {
  return {
    name,
    hasPolicy: (await api.get(policies, name)) !== undefined,
    hasBinding: (await api.get(bindings, name)) !== undefined,
  };
}

/** The newest version of MutatingAdmissionPolicy that the API server offers. */
async function offeredGate(api: ClusterApi): Promise<GateVersion | undefined> {
  for (const version of GATE_VERSIONS) {
    if (await isServed(api, gateKinds(version).policies)) return version;
  }
  return undefined;
}

async function isServed(api: ClusterApi, { apiVersion, plural }: Kind): Promise<boolean> {
  const root = apiVersion.includes('/') ? 'apis' : 'api';
  const found = await api.at<{ readonly resources?: readonly { readonly name: string }[] }>(`${root}/${apiVersion}`);
  return found?.resources?.some(({ name }) => name === plural) === true;
}

async function missingKinds(api: ClusterApi): Promise<readonly string[]> {
  const served = await Promise.all(NEEDED_KINDS.map((kind) => isServed(api, kind)));
  return NEEDED_KINDS.filter((_, index) => !served[index]).map(({ apiVersion, plural }) => `${apiVersion} ${plural}`);
}

type OvnSection = 'members' | 'ovn' | 'chassis';

/** @returns `northbound` where it is reached */
async function readOvn(
  session: Session,
  settings: Data | undefined,
  certificates: Data | undefined,
): Promise<{ readonly sections: Pick<Seen, OvnSection>; readonly northbound?: NorthboundOfMany }> {
  const skipped = { sections: { members: SKIPPED, ovn: SKIPPED, chassis: SKIPPED } };
  if (settings === undefined || !hasWhatTlsNeeds(settings, certificates)) return skipped;
  let databases: Databases;
  try {
    databases = await session.databases(settings, certificates ?? {});
  } catch {
    // Settings that no function would start with are a finding of their own.
    return skipped;
  }
  const members = await readMembers(databases);
  const isUsable = (name: string) =>
    members.some(({ database, row }) => database === name && row?.isConnected && (row.isLeader || !row.isClustered));
  const southbound = isUsable('OVN_Southbound') ? databases.client('OVN_Southbound') : undefined;
  return {
    sections: {
      members: { value: members },
      ovn: southbound ? await attempt(() => readSchema(southbound)) : SKIPPED,
      chassis: southbound ? await attempt(() => readChassis(southbound)) : SKIPPED,
    },
    ...(isUsable('OVN_Northbound') && { northbound: northboundOf(databases) }),
  };
}

/** Without a whole Secret no function reaches OVN either, which is a finding of its own. */
function hasWhatTlsNeeds({ OVN_NB_REMOTE, OVN_SB_REMOTE }: Data, certificates: Data | undefined): boolean {
  if (!`${OVN_NB_REMOTE},${OVN_SB_REMOTE}`.includes('ssl:')) return true;
  return Object.keys(CERTIFICATE_KEYS).every((key) => certificates?.[key]);
}

async function readRights(api: ClusterApi): Promise<readonly Right[]> {
  return await forEach(NEEDED, MAX_CONCURRENT, async ({ account, verb, group, resource }) => {
    const review = await api.create<{ readonly status?: { readonly allowed?: boolean } }>(KINDS.accessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${NAMESPACE}:${account}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
        resourceAttributes: { verb, group, resource },
      },
    });
    return { account, verb, group, resource, isAllowed: review.status?.allowed === true };
  });
}

type Instance = KubernetesObject & {
  readonly spec?: {
    readonly domain?: { readonly devices?: { readonly interfaces?: readonly Interface[] } };
    readonly networks?: readonly Network[];
  };
};

async function readVms(api: ClusterApi, northbound: NorthboundOfMany | undefined): Promise<readonly Vm[]> {
  const instances = await api.list<Instance>(KINDS.vmis);
  const optedIn = instances.filter(({ metadata }) => metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined);
  await northbound?.locate(optedIn.map(({ metadata: { name, namespace = 'default' } }) => ({ namespace, name })));
  return await forEach(optedIn, MAX_CONCURRENT, async ({ metadata, spec }): Promise<Vm> => {
    const { name, namespace = 'default', ownerReferences = [] } = metadata;
    const networks = spec?.networks ?? [];
    return {
      name,
      namespace,
      isOwnedByVm: ownerReferences.some(({ kind }) => kind === 'VirtualMachine'),
      interfaces: spec?.domain?.devices?.interfaces ?? [],
      networks,
      ports: await northbound?.searchPorts(
        { namespace, name },
        networks.map((network) => network.name),
      ),
    };
  });
}

async function attempt<Value>(read: () => Promise<Value>): Promise<Read<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function part<Whole, Value>(read: Read<Whole>, of: (whole: Whole) => Value): Read<Value> {
  return 'value' in read ? { value: of(read.value) } : read;
}

function readOf<Value>(read: Read<Value>): Value | undefined {
  return 'value' in read ? read.value : undefined;
}
