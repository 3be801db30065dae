import type { KubernetesObject } from '@kubernetes/client-node';
import type { Level } from '../../../cli/doctor/finding.ts';
import { addChassis } from '../../../testkit/ovn.ts';
import { ClusteredDatabase, expired, OlderDatabase } from './databases.ts';
import type { Installed } from './installed.ts';

/** Something wrong with a whole installation. */
export interface Fault {
  readonly name: string;
  /** Of what doctor finds. */
  readonly id: string;
  readonly level: Level;
  /** What follows from it is found too. */
  readonly also?: readonly string[];
  /** What it names. */
  readonly names: RegExp;
  /** Puts it in. @returns what takes it out again */
  put(installed: Installed): Promise<() => Promise<void>>;
}

// biome-ignore lint/suspicious/noExplicitAny: an object of any kind, of which each fault knows its part
type Json = Record<string, any>;

const OWN = 'ovn-handover';
const reference = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace && { namespace }) },
});
const EVENTING = 'eventing.knative.dev/v1';
const SOURCES = 'sources.knative.dev/v1';
const SERVING = 'serving.knative.dev/v1';
const ADMISSION = 'admissionregistration.k8s.io/v1';
const settings = reference('v1', 'ConfigMap', OWN, OWN);
const secret = reference('v1', 'Secret', 'ovn-client-tls', OWN);
const vmi = reference('kubevirt.io/v1', 'VirtualMachineInstance', 'web-01', 'prod');

type Reference = ReturnType<typeof reference>;

/** Changes an object for as long as the fault is in. */
function changed(target: Reference, change: (object: Json) => void): Fault['put'] {
  return async ({ objects }) => {
    const before = await objects.read(target);
    const after = structuredClone(before) as Json;
    change(after);
    await objects.replace(after as KubernetesObject);
    return async () => {
      const now = await objects.read(target);
      const metadata = { ...before.metadata, resourceVersion: now.metadata!.resourceVersion! };
      await objects.replace({ ...before, metadata } as KubernetesObject);
    };
  };
}

function deleted(target: Reference): Fault['put'] {
  return async ({ objects }) => {
    const { metadata, ...rest } = (await objects.read(target)) as Json;
    await objects.delete(target);
    const { name, namespace, labels, annotations } = metadata;
    return async () => void (await objects.create({ ...rest, metadata: { name, namespace, labels, annotations } }));
  };
}

const notReady = (target: Reference) =>
  changed(target, (object) => {
    object.status.conditions = [{ type: 'Ready', status: 'False', reason: 'NotFound', message: 'it is not there' }];
  });

const setting = (values: Record<string, string>) =>
  changed(settings, ({ data }) => {
    Object.assign(data, values);
  });

/** A kind, or all of a version, that is not served. */
const hidden =
  (...kinds: string[]): Fault['put'] =>
  async ({ api }) => {
    for (const kind of kinds) api.hidden.add(kind);
    return async () => api.hidden.clear();
  };

const red = 'red' as const;
const yellow = 'yellow' as const;

export const FAULTS: readonly Fault[] = [
  {
    name: 'KubeVirt’s VMIMs are not served',
    id: 'kind-missing',
    level: red,
    names: /virtualmachineinstancemigrations/,
    put: hidden('kubevirt.io/v1/virtualmachineinstancemigrations'),
  },
  {
    name: 'there is no KubeVirt object',
    id: 'kubevirt-missing',
    level: red,
    names: /no KubeVirt object/,
    put: deleted(reference('kubevirt.io/v1', 'KubeVirt', 'kubevirt', 'kubevirt')),
  },
  {
    name: 'KubeVirt is being deployed',
    id: 'kubevirt-not-deployed',
    level: red,
    names: /kubevirt\/kubevirt is Deploying/,
    put: changed(reference('kubevirt.io/v1', 'KubeVirt', 'kubevirt', 'kubevirt'), ({ status }) => {
      status.phase = 'Deploying';
    }),
  },
  {
    name: 'KubeVirt is too old',
    id: 'kubevirt-version',
    level: red,
    names: /v0\.59\.2, older than 1\.0/,
    put: changed(reference('kubevirt.io/v1', 'KubeVirt', 'kubevirt', 'kubevirt'), ({ status }) => {
      status.observedKubeVirtVersion = 'v0.59.2';
    }),
  },
  {
    name: 'Knative Eventing is too old',
    id: 'knative-version',
    level: red,
    names: /Knative Eventing is 1\.9\.0/,
    put: changed(reference('v1', 'Namespace', 'knative-eventing'), ({ metadata }) => {
      metadata.labels['app.kubernetes.io/version'] = '1.9.0';
    }),
  },
  {
    name: 'Knative Serving guesses at a mesh',
    id: 'mesh-compatibility-mode',
    level: yellow,
    names: /is auto/,
    put: changed(reference('v1', 'ConfigMap', 'config-network', 'knative-serving'), (object) => {
      object.data = {};
    }),
  },
  {
    name: 'the dispatcher is single',
    id: 'knative-single-replica',
    level: yellow,
    names: /knative-eventing\/imc-dispatcher/,
    put: changed(reference('apps/v1', 'Deployment', 'imc-dispatcher', 'knative-eventing'), ({ spec }) => {
      spec.replicas = 1;
    }),
  },
  {
    name: 'Kube-OVN optimises migrations itself',
    id: 'kube-ovn-optimiser',
    level: red,
    names: /--enable-live-migration-optimize at its default/,
    put: changed(reference('apps/v1', 'Deployment', 'kube-ovn-controller', 'kube-system'), ({ spec }) => {
      spec.template.spec.containers[0].args = [];
    }),
  },
  {
    name: 'the ConfigMap is gone',
    id: 'settings-missing',
    level: red,
    names: /no ConfigMap ovn-handover\/ovn-handover/,
    put: deleted(settings),
  },
  {
    name: 'a setting is misspelt',
    id: 'settings-invalid',
    level: red,
    names: /OVN_PROFILE .*kube-ovn, generic/,
    put: setting({ OVN_PROFILE: 'kubeovn' }),
  },
  { name: 'the Secret is gone', id: 'certificates-missing', level: red, names: /no Secret/, put: deleted(secret) },
  {
    name: 'the Secret lacks a key',
    id: 'certificate-key-missing',
    level: red,
    names: /has no cacert/,
    put: changed(secret, ({ data }) => {
      delete data.cacert;
    }),
  },
  {
    name: 'the certificate has expired',
    id: 'certificate-expired',
    level: red,
    names: /was valid until/,
    also: ['ovn-unreachable'],
    put: async (installed) => {
      const pair = await expired();
      return await changed(secret, ({ data }) => Object.assign(data, pair))(installed);
    },
  },
  {
    name: 'the certificate is about to expire',
    id: 'certificate-expires',
    level: yellow,
    names: /is valid until/,
    put: async (installed) => {
      const pair = installed.issue(2);
      return await changed(secret, ({ data }) => Object.assign(data, pair))(installed);
    },
  },
  {
    name: 'the key is that of another certificate',
    id: 'certificate-key-differs',
    level: red,
    names: /key is not that of cert/,
    also: ['ovn-unreachable'],
    put: async (installed) => {
      const { key } = await expired();
      return await changed(secret, ({ data }) => Object.assign(data, { key }))(installed);
    },
  },
  {
    name: 'OVN northbound is away',
    id: 'ovn-unreachable',
    level: red,
    names: /OVN_Northbound is not reached/,
    put: async ({ nb }) => {
      await nb.kill();
      return () => nb.start();
    },
  },
  {
    name: 'the southbound remote is the northbound’s',
    id: 'ovn-wrong-database',
    level: red,
    names: /no database OVN_Southbound/,
    put: async (installed) => await setting({ OVN_SB_REMOTE: installed.nb.remote })(installed),
  },
  {
    name: 'a member of the cluster is away',
    id: 'ovn-member-lost',
    level: yellow,
    names: /OVN_Southbound/,
    put: async (installed) => {
      const database = await ClusteredDatabase.start(3);
      const undo = await setting({ OVN_SB_REMOTE: database.remote })(installed);
      await database.killFollower();
      return async () => {
        await undo();
        await database[Symbol.asyncDispose]();
      };
    },
  },
  {
    name: 'the cluster has lost its quorum',
    id: 'ovn-no-quorum',
    level: red,
    names: /OVN_Southbound/,
    put: async (installed) => {
      const database = await ClusteredDatabase.start(2);
      const undo = await setting({ OVN_SB_REMOTE: database.remote })(installed);
      await database.loseQuorum();
      return async () => {
        await undo();
        await database[Symbol.asyncDispose]();
      };
    },
  },
  {
    name: 'OVN is too old',
    id: 'ovn-version',
    level: red,
    names: /is 20\.21\.0/,
    put: async (installed) => {
      const database = await OlderDatabase.start('20.21.0');
      const undo = await setting({ OVN_SB_REMOTE: database.remote })(installed);
      return async () => {
        await undo();
        await database[Symbol.asyncDispose]();
      };
    },
  },
  {
    name: 'a node has no chassis',
    id: 'chassis-missing',
    level: red,
    names: /worker-b/,
    put: async ({ sb }) => {
      sb.ctl('chassis-del', 'chassis-b');
      return async () => addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    },
  },
  {
    name: 'a reinstalled node left its old chassis',
    id: 'chassis-ambiguous',
    level: yellow,
    names: /chassis-old/,
    put: async ({ sb }) => {
      addChassis(sb, 'chassis-old', 'worker-b', '10.0.0.3');
      return async () => void sb.ctl('chassis-del', 'chassis-old');
    },
  },
  {
    name: 'no chassis knows the activation strategy',
    id: 'strategy-unsupported',
    level: red,
    names: /is garp/,
    put: setting({ OVN_ACTIVATION_STRATEGY: 'garp' }),
  },
  {
    name: 'a function is missing',
    id: 'function-missing',
    level: red,
    names: /release-port/,
    put: deleted(reference(SERVING, 'Service', 'release-port', OWN)),
  },
  {
    name: 'a function does not become Ready',
    id: 'function-not-ready',
    level: red,
    names: /reuse-port is not Ready: NotFound: it is not there/,
    put: notReady(reference(SERVING, 'Service', 'reuse-port', OWN)),
  },
  {
    name: 'the Broker is not Ready',
    id: 'broker-not-ready',
    level: red,
    names: /migrations/,
    put: notReady(reference(EVENTING, 'Broker', 'migrations', OWN)),
  },
  {
    name: 'a Trigger is missing',
    id: 'trigger-missing',
    level: red,
    names: /reconcile-deleted-pods/,
    put: deleted(reference(EVENTING, 'Trigger', 'reconcile-deleted-pods', OWN)),
  },
  {
    name: 'a Trigger has missed its function',
    id: 'trigger-not-ready',
    level: red,
    names: /enable-dual-chassis/,
    put: notReady(reference(EVENTING, 'Trigger', 'enable-dual-chassis', OWN)),
  },
  {
    name: 'a source is missing',
    id: 'source-missing',
    level: red,
    names: /launcher-pods/,
    put: deleted(reference(SOURCES, 'ApiServerSource', 'launcher-pods', OWN)),
  },
  {
    name: 'a source is not Ready',
    id: 'source-not-ready',
    level: red,
    names: /migrations/,
    put: notReady(reference(SOURCES, 'ApiServerSource', 'migrations', OWN)),
  },
  {
    name: 'the names of the namespaces do not fit into the adapter’s environment',
    id: 'adapter-environment',
    level: red,
    names: /apiserversource-migrations takes 14\d{4} of 131072 bytes/,
    put: changed(reference('apps/v1', 'Deployment', 'apiserversource-migrations', OWN), ({ spec }) => {
      spec.template.spec.containers[0].env[0].value = 'x'.repeat(140_000);
    }),
  },
  {
    name: 'a ServiceAccount lost a right',
    id: 'right-missing',
    level: red,
    names: /reconcile may not patch pods|reuse-port may not patch pods|enable-dual-chassis may not patch pods/,
    put: deleted(reference('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'ovn-handover-target-pods')),
  },
  {
    name: 'the functions could patch any pod',
    id: 'patch-policy-missing',
    level: red,
    names: /ValidatingAdmissionPolicyBinding ovn-handover-pod-patch/,
    put: deleted(reference(ADMISSION, 'ValidatingAdmissionPolicyBinding', 'ovn-handover-pod-patch')),
  },
  {
    name: 'the gate is missing',
    id: 'gate-missing',
    level: red,
    names: /no MutatingAdmissionPolicy ovn-handover-scheduling-gate/,
    put: deleted(reference(ADMISSION, 'MutatingAdmissionPolicy', 'ovn-handover-scheduling-gate')),
  },
  {
    name: 'the API server offers no gate, and the functions sleep',
    id: 'gate-not-offered',
    level: red,
    names: /reuse-port and enable-dual-chassis may sleep|enable-dual-chassis and reuse-port may sleep/,
    put: hidden(`${ADMISSION}/mutatingadmissionpolicies`, `${ADMISSION}beta1/mutatingadmissionpolicies`),
  },
  {
    name: 'a VM’s interface is bound by masquerade',
    id: 'interface-masquerade',
    level: yellow,
    names: /prod\/web-01/,
    put: changed(vmi, ({ spec }) => {
      for (const each of spec.domain.devices.interfaces) {
        delete each.bridge;
        each.masquerade = {};
      }
    }),
  },
  {
    name: 'a VM’s interface has no macAddress',
    id: 'interface-without-mac',
    level: yellow,
    names: /prod\/web-01/,
    put: changed(vmi, ({ spec }) => {
      for (const each of spec.domain.devices.interfaces) delete each.macAddress;
    }),
  },
  {
    name: 'a VM has no port in OVN',
    id: 'port-missing',
    level: red,
    names: /prod\/web-01/,
    put: async ({ nb }) => {
      nb.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:pod=prod/web-02');
      return async () => void nb.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:pod=prod/web-01');
    },
  },
  {
    name: 'a VMI belongs to no VM',
    id: 'vmi-without-vm',
    level: yellow,
    names: /prod\/web-01/,
    put: changed(vmi, ({ metadata }) => {
      delete metadata.ownerReferences;
    }),
  },
  {
    name: 'two interfaces are on one network',
    id: 'interfaces-share-network',
    level: yellow,
    names: /prod\/tenant-a/,
    put: changed(vmi, ({ spec }) => {
      spec.networks = ['one', 'two'].map((name) => ({ name, multus: { networkName: 'prod/tenant-a' } }));
    }),
  },
  {
    name: 'the sources do not hear of a namespace with VMs',
    id: 'namespace-not-watched',
    level: yellow,
    names: /namespace prod/,
    put: changed(reference(SOURCES, 'ApiServerSource', 'migrations', OWN), ({ spec }) => {
      spec.namespaceSelector = { matchLabels: { 'ovn-handover.dev/watch': 'true' } };
    }),
  },
];
