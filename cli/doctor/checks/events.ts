import { type Conditioned, whyNotReady } from '../../cluster/conditions.ts';
import { API_SERVER_SOURCES, BROKER, FUNCTIONS, NAMESPACE, PING_SOURCE, TRIGGERS } from '../../cluster/installation.ts';
import { check, type Finding } from '../finding.ts';

const DEPLOY = 'npm run deploy -- --image IMAGE --overlay OVERLAY';
const LINK = 'docs/guide.md#deploy';

export const functions = check(
  'the functions are Ready',
  ['services'],
  ({ services }) => missingOrNotReady('function', 'Service', 'ksvc', FUNCTIONS, services, 'its step is not done'),
  'installed',
);

export const brokers = check(
  'the Broker is Ready',
  ['brokers'],
  ({ brokers }) => missingOrNotReady('broker', 'Broker', 'broker', [BROKER], brokers, 'no event reaches a function'),
  'installed',
);

export const triggers = check(
  'the Triggers are Ready',
  ['triggers'],
  ({ triggers }) =>
    missingOrNotReady('trigger', 'Trigger', 'trigger', TRIGGERS, triggers, 'its function is not woken').map(
      (finding) =>
        // Knative looks for a Trigger's subscriber once, and again only when the Trigger changes.
        finding.id === 'trigger-not-ready'
          ? { ...finding, mend: `${DEPLOY}, which touches every Trigger: Knative looks for a function only then` }
          : finding,
    ),
  'installed',
);

export const sources = check(
  'the sources are Ready',
  ['sources'],
  ({ sources }) =>
    missingOrNotReady(
      'source',
      'source',
      'sources',
      [...API_SERVER_SOURCES, PING_SOURCE],
      sources,
      'what it hears of reaches nobody',
    ),
  'installed',
);

function missingOrNotReady(
  id: string,
  kind: string,
  resource: string,
  names: readonly string[],
  objects: readonly Conditioned[],
  why: string,
): Finding[] {
  return names.flatMap((name): readonly Finding[] => {
    const object = objects.find(({ metadata }) => metadata.name === name);
    if (object === undefined) {
      const what = `there is no ${kind} ${NAMESPACE}/${name}`;
      return [{ id: `${id}-missing`, level: 'red', what, why, mend: DEPLOY, link: LINK }];
    }
    const said = whyNotReady(object);
    if (said === undefined) return [];
    return [
      {
        id: `${id}-not-ready`,
        level: 'red',
        what: `${kind} ${NAMESPACE}/${name} is not Ready: ${said}`,
        why,
        mend: `kubectl -n ${NAMESPACE} describe ${resource} ${name}`,
        link: LINK,
      },
    ];
  });
}

/** Linux takes no longer variable than this, with its name and the byte at its end (execve(2), MAX_ARG_STRLEN). */
const MAX_VARIABLE_BYTES = 128 * 1024;
const SHARE_WORTH_A_WARNING = 0.8;
const SOURCE_CONFIG = 'K_SOURCE_CONFIG';

export const adapterEnvironment = check(
  'the namespaces fit into the sources’ environment',
  ['adapters', 'sources'],
  ({ adapters }) =>
    adapters.flatMap(({ metadata, spec }): readonly Finding[] => {
      const variables = spec.template.spec.containers.flatMap(({ env }) => env ?? []);
      const value = variables.find(({ name }) => name === SOURCE_CONFIG)?.value ?? '';
      const bytes = Buffer.byteLength(`${SOURCE_CONFIG}=${value}`) + 1;
      if (bytes < MAX_VARIABLE_BYTES * SHARE_WORTH_A_WARNING) return [];
      const isTooLong = bytes > MAX_VARIABLE_BYTES;
      return [
        {
          id: 'adapter-environment',
          level: isTooLong ? 'red' : 'yellow',
          what: `${SOURCE_CONFIG} of Deployment ${metadata.namespace}/${metadata.name} takes ${bytes} of ${MAX_VARIABLE_BYTES} bytes`,
          why: isTooLong
            ? 'its pod cannot start, and no migration is heard of'
            : 'Knative writes the names of all namespaces there; with more of them its pod cannot start',
          mend: 'add the component labelled-namespaces to your overlay, label the namespaces that have VMs, and deploy again',
          link: 'docs/guide.md#settings-of-knative',
        },
      ];
    }),
  'installed',
);

export const rights = check(
  'each ServiceAccount may do what it has to',
  ['rights'],
  ({ rights }) =>
    [
      ...Map.groupBy(
        rights.filter(({ isAllowed }) => !isAllowed),
        ({ account }) => account,
      ),
    ].map(([account, missing]) => ({
      id: 'right-missing',
      level: 'red' as const,
      what: `ServiceAccount ${NAMESPACE}/${account} may not ${missing.map(({ verb, resource, group }) => `${verb} ${resource}${group ? `.${group}` : ''}`).join(', ')}`,
      why: 'it answers 503 to every event that needs it',
      mend: 'kubectl apply -k eventing/overlays/OVERLAY',
      link: 'eventing/README.md#rights',
    })),
  'installed',
);

export const patchPolicies = check(
  'the functions may patch nothing but what is theirs',
  ['patchPolicies'],
  ({ patchPolicies }) =>
    patchPolicies
      .filter(({ hasPolicy, hasBinding }) => !(hasPolicy && hasBinding))
      .map(({ name, hasPolicy }) => ({
        id: 'patch-policy-missing',
        level: 'red',
        what: `there is no ${hasPolicy ? 'ValidatingAdmissionPolicyBinding' : 'ValidatingAdmissionPolicy'} ${name}`,
        why: 'RBAC cannot say which objects and what in them: whoever takes a function over could change any of them',
        mend: 'kubectl apply -k eventing/overlays/OVERLAY',
        link: 'docs/threat-model.md#rights-and-reach',
      })),
  'installed',
);

export const way = check(
  'an event goes the whole way: broker, Trigger, function, answer',
  ['probe'],
  ({ probe }) => {
    const finding = {
      level: 'red',
      link: 'docs/guide.md#check-before-and-after-doctor',
      why: 'all may be Ready, and no migration be heard of',
    } as const;
    const logs = `kubectl -n ${NAMESPACE} logs -l serving.knative.dev/service=reconcile -c user-container --tail=20`;
    if (probe.is === 'not taken') {
      const mend = `kubectl -n ${NAMESPACE} describe broker ${BROKER}`;
      return [{ ...finding, id: 'probe-not-taken', what: `the broker did not take an event: ${probe.why}`, mend }];
    }
    if (probe.is === 'unanswered') {
      const last = probe.lastLine ? `; the last that it logged: ${probe.lastLine}` : '; it has logged nothing';
      const what = `an event was taken by the broker, and reconcile did not answer it within ${probe.seconds} s${last}`;
      return [{ ...finding, id: 'probe-unanswered', what, mend: logs }];
    }
    return [];
  },
  'installed',
);
