import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** Of a ConfigMap or a Secret. */
  readonly data?: Readonly<Record<string, string>>;
}

/** What an overlay has, in the order in which it is applied. */
export interface Stages {
  /** What functions run with, and the Broker. */
  readonly base: readonly Manifest[];
  /** To be applied once the functions are there. */
  readonly triggers: readonly Manifest[];
  /** To be applied when what they bring reaches somebody. */
  readonly sources: readonly Manifest[];
}

const DEPLOYED_AT = 'ovn-handover.dev/deployed-at';

/**
 * Takes apart what kustomize made of an overlay. Knative looks for the subscriber of a Trigger once, and again only when
 * the Trigger changes (its tracker notes the Broker in the Trigger's place, reconciler/broker/trigger of Eventing 1.23):
 * therefore each has the time in it, which is another one at each deployment.
 */
export function stagesOf(overlay: string, now: Date): Stages {
  const all = parseAllDocuments(overlay).map((document) => document.toJS() as Manifest);
  const isTrigger = ({ kind, apiVersion }: Manifest) =>
    kind === 'Trigger' && apiVersion.startsWith('eventing.knative.dev/');
  const isSource = ({ apiVersion }: Manifest) => apiVersion.startsWith('sources.knative.dev/');
  return {
    base: all.filter((manifest) => !isTrigger(manifest) && !isSource(manifest)),
    triggers: all.filter(isTrigger).map((trigger) => ({
      ...trigger,
      metadata: {
        ...trigger.metadata,
        annotations: { ...trigger.metadata.annotations, [DEPLOYED_AT]: now.toISOString() },
      },
    })),
    sources: all.filter(isSource),
  };
}

/**
 * The same with a Secret by which the nodes pull the functions' image. It is named at the ServiceAccounts, where Kubernetes
 * and Knative both look for it: func's own files have no place for it.
 */
export function withPullSecret(stages: Stages, name: string): Stages {
  return {
    ...stages,
    base: stages.base.map((manifest) =>
      manifest.kind === 'ServiceAccount' ? { ...manifest, imagePullSecrets: [{ name }] } : manifest,
    ),
  };
}
