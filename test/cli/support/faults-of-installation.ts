import {
  ADMISSION,
  changed,
  deleted,
  EVENTING,
  type Fault,
  hidden,
  notReady,
  OWN,
  red,
  reference,
  SERVING,
  SOURCES,
  vmi,
  yellow,
} from './fault.ts';

/** Of what an installation brings, and of the VMs that opted in. */
export const FAULTS_OF_INSTALLATION: readonly Fault[] = [
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
