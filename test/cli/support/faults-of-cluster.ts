import { addChassis } from '../../../testkit/ovn.ts';
import { ClusteredDatabase, expired, OlderDatabase } from './databases.ts';
import { changed, deleted, type Fault, hidden, red, reference, secret, setting, settings, yellow } from './fault.ts';

/** Of what is there before an installation, of its settings, and of OVN. */
export const FAULTS_OF_CLUSTER: readonly Fault[] = [
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
    name: 'the certificate is none',
    id: 'certificate-unreadable',
    level: red,
    names: /cert or key is no PEM/,
    also: ['ovn-unreachable'],
    put: changed(secret, ({ data }) => {
      data.cert = Buffer.from('no certificate').toString('base64');
    }),
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
    name: 'a port has no address that a newer ovn-controller could hold it by',
    id: 'port-cannot-be-held',
    level: yellow,
    names: /no address that begins with a MAC/,
    put: async ({ nb, sb }) => {
      const newer = 'other_config:ovn-evpn-vxlan-ports=4789';
      for (const chassis of ['chassis-a', 'chassis-b']) sb.ctl('set', 'Chassis', chassis, newer);
      const [port, before] = ['web-01.prod', nb.ctl('lsp-get-addresses', 'web-01.prod')];
      nb.ctl('lsp-set-addresses', port, 'unknown');
      return async () => {
        nb.ctl('lsp-set-addresses', port, before);
        for (const chassis of ['chassis-a', 'chassis-b']) sb.ctl('clear', 'Chassis', chassis, 'other_config');
      };
    },
  },
];
