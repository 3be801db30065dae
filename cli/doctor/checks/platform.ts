import { GATE_POLICY } from '../../cluster/installation.ts';
import { check, type Finding } from '../finding.ts';
import type { Deployment, KnativeService } from '../seen.ts';
import { isBefore, versionOf } from '../version.ts';

const MATRIX = 'docs/guide.md#what-has-to-be-there';
const LEAST = { kubernetes: [1, 34], kubevirt: [1, 0], knative: [1, 22] } as const;

export const kubernetes = check('Kubernetes is new enough', ['kubernetes'], ({ kubernetes: { version } }) =>
  tooOld('kubernetes-version', 'Kubernetes', version, LEAST.kubernetes, 'Knative 1.22 needs it'),
);

export const kinds = check('the kinds of KubeVirt and Knative are served', ['missingKinds'], ({ missingKinds }) =>
  missingKinds.map((kind) => ({
    id: 'kind-missing',
    level: 'red',
    what: `the API server does not serve ${kind}`,
    why: 'without it a migration is not heard of, or nobody answers',
    mend: kind.includes('kubevirt') ? 'install KubeVirt' : 'install Knative Serving and Eventing',
    link: MATRIX,
  })),
);

export const kubevirt = check('KubeVirt is deployed', ['kubevirts', 'missingKinds'], ({ kubevirts, missingKinds }) => {
  if (missingKinds.some((kind) => kind.includes('kubevirt'))) return [];
  const [installed] = kubevirts;
  if (installed === undefined) {
    return [
      {
        id: 'kubevirt-missing',
        level: 'red',
        what: 'there is no KubeVirt object in any namespace',
        why: 'without KubeVirt there are no VMs to migrate',
        mend: 'install KubeVirt, https://kubevirt.io/user-guide',
        link: MATRIX,
      },
    ];
  }
  const { phase, observedKubeVirtVersion } = installed.status ?? {};
  const { name, namespace } = installed.metadata;
  const findings = tooOld(
    'kubevirt-version',
    'KubeVirt',
    observedKubeVirtVersion,
    LEAST.kubevirt,
    'older ones migrate otherwise',
  );
  if (phase === 'Deployed') return findings;
  return [
    ...findings,
    {
      id: 'kubevirt-not-deployed',
      level: 'red',
      what: `KubeVirt ${namespace}/${name} is ${phase ?? 'without a phase'}, not Deployed`,
      why: 'migrations start only once all of KubeVirt runs',
      mend: `kubectl -n ${namespace} describe kubevirt ${name}`,
      link: MATRIX,
    },
  ];
});

const PARTS = [
  { namespace: 'knative-serving', what: 'Knative Serving' },
  { namespace: 'knative-eventing', what: 'Knative Eventing' },
];

export const knative = check('Knative is new enough', ['namespaces'], ({ namespaces }) =>
  PARTS.flatMap(({ namespace, what }): readonly Finding[] => {
    const found = namespaces.find(({ metadata }) => metadata.name === namespace);
    if (found === undefined) {
      return [
        {
          id: 'knative-missing',
          level: 'red',
          what: `there is no namespace ${namespace}, so ${what} is not installed`,
          why: 'the functions are Services of Knative, and events reach them through its broker',
          mend: `install ${what}, https://knative.dev/docs/install`,
          link: MATRIX,
        },
      ];
    }
    const version = found.metadata.labels?.['app.kubernetes.io/version'];
    return tooOld('knative-version', what, version, LEAST.knative, 'the manifests use what it brought');
  }),
);

export const mesh = check('Knative sends to pods, and not to a Service in between', ['knative'], ({ knative }) => {
  const mode = knative.network?.['mesh-compatibility-mode'] ?? 'auto';
  if (knative.network === undefined || mode === 'disabled') return [];
  return [
    {
      id: 'mesh-compatibility-mode',
      level: 'yellow',
      what: `mesh-compatibility-mode of Knative Serving is ${mode}`,
      why: 'after one slow probe an event that comes while a function’s last pod ends waits for that pod: 29 s were seen',
      mend: `without a service mesh: kubectl -n knative-serving patch configmap config-network --type=merge -p '{"data":{"mesh-compatibility-mode":"disabled"}}'`,
      link: 'docs/guide.md#settings-of-knative',
    },
  ];
});

/** What an event passes, and does not pass while its only replica moves to another node. */
const ON_THE_WAY = [
  'activator',
  'imc-dispatcher',
  'mt-broker-ingress',
  'mt-broker-filter',
  'kafka-broker-receiver',
  'kafka-broker-dispatcher',
];

export const replicas = check('what events pass has two replicas', ['knative'], ({ knative }) => {
  const single = knative.deployments.filter(
    ({ metadata, spec }) => ON_THE_WAY.includes(metadata.name) && (spec.replicas ?? 1) < 2,
  );
  if (single.length === 0) return [];
  const names = single.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return [
    {
      id: 'knative-single-replica',
      level: 'yellow',
      what: `${names.join(', ')}: one replica each`,
      why: 'while it moves, as in a drain, events are lost, and a target waits at its gates for the next sweep',
      mend: single.map(scaleCommand).join('; '),
      link: 'docs/guide.md#settings-of-knative',
    },
  ];
});

/** Some are kept at a number by their autoscaler, which would undo a change of the Deployment. */
function scaleCommand({ metadata: { name, namespace } }: Deployment): string {
  const autoscaler = {
    activator: 'activator',
    'mt-broker-ingress': 'broker-ingress-hpa',
    'mt-broker-filter': 'broker-filter-hpa',
  }[name];
  return autoscaler
    ? `kubectl -n ${namespace} patch hpa ${autoscaler} --type merge -p '{"spec":{"minReplicas":2}}'`
    : `kubectl -n ${namespace} scale deployment ${name} --replicas 2`;
}

export const gate = check(
  'targets are held until the network is ready',
  ['kubernetes', 'gate', 'services'],
  ({ kubernetes: { gate: offered, version }, gate: { hasPolicy, hasBinding }, services }) => {
    const link = 'docs/guide.md#deploy';
    if (offered === undefined) {
      const cold = services.filter(({ metadata, spec }) => WAITED_FOR.includes(metadata.name) && minScale(spec) < 1);
      if (cold.length === 0) return [];
      const names = cold.map(({ metadata }) => metadata.name).join(' and ');
      return [
        {
          id: 'gate-not-offered',
          level: 'red',
          what: `Kubernetes ${version} offers no MutatingAdmissionPolicy, and ${names} may sleep`,
          why: 'without gates a target that plugs in while a function starts fights the source for the port',
          mend: 'npm run deploy -- --image IMAGE --warm',
          link,
        },
      ];
    }
    if (hasPolicy && hasBinding) return [];
    const missing = hasPolicy ? 'MutatingAdmissionPolicyBinding' : 'MutatingAdmissionPolicy';
    return [
      {
        id: 'gate-missing',
        level: 'red',
        what: `there is no ${missing} ${GATE_POLICY}, though the API server offers ${offered}`,
        why: 'without gates a target that plugs in while a function starts fights the source for the port',
        mend: `kubectl apply -k eventing/components/${offered === 'v1' ? 'scheduling-gate' : 'scheduling-gate-v1beta1'}`,
        link,
      },
    ];
  },
  'installed',
);

const WAITED_FOR: readonly string[] = ['reuse-port', 'enable-dual-chassis'];

function minScale({ template }: KnativeService['spec']): number {
  const { annotations = {} } = template.metadata ?? {};
  return Number(
    annotations['autoscaling.knative.dev/min-scale'] ?? annotations['autoscaling.knative.dev/minScale'] ?? 0,
  );
}

function tooOld(id: string, what: string, text: string | undefined, least: readonly number[], why: string): Finding[] {
  const version = versionOf(text);
  const asked = least.join('.');
  if (version === undefined) {
    return [
      {
        id,
        level: 'yellow',
        what: `${what} does not say which version it is${text ? ` (${text})` : ''}; ${asked} or newer is asked for`,
        why,
        mend: 'look whether it is new enough',
        link: MATRIX,
      },
    ];
  }
  if (!isBefore(version, least)) return [];
  return [
    {
      id,
      level: 'red',
      what: `${what} is ${text}, older than ${asked}`,
      why,
      mend: `upgrade it to ${asked} or newer`,
      link: MATRIX,
    },
  ];
}
