import type { KubernetesObject } from '@kubernetes/client-node';

/** Knative's own Ingress (networking.internal.knative.dev/v1alpha1), as far as a Route of Serving makes use of it. */
export interface Ingress extends KubernetesObject {
  readonly spec: { readonly rules?: readonly IngressRule[] };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

export interface IngressRule {
  readonly hosts?: readonly string[];
  readonly http: { readonly paths: readonly IngressPath[] };
}

export interface IngressPath {
  /** A prefix; everything without it. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, { readonly exact: string }>>;
  readonly rewriteHost?: string;
  readonly appendHeaders?: Readonly<Record<string, string>>;
  readonly splits: readonly IngressSplit[];
}

export interface IngressSplit {
  readonly serviceNamespace: string;
  readonly serviceName: string;
  readonly servicePort: number | string;
  /** Of all requests; 100 where there is one split. */
  readonly percent?: number;
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime: string;
}

const CLASS = 'networking.knative.dev/ingress.class';
const CONDITIONS = ['LoadBalancerReady', 'NetworkConfigured', 'Ready'];

export function isOfClass({ metadata }: Ingress, ingressClass: string): boolean {
  return metadata?.annotations?.[CLASS] === ingressClass;
}

/** Whether Serving has been told that the Ingress works in its present generation. */
export function isReady({ metadata, status }: Ingress): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && status?.observedGeneration === metadata?.generation;
}

/** @param address name in the cluster's DNS at which the Ingress is served */
export function readyStatus(generation: number | undefined, address: string, now: Date) {
  const loadBalancer = { ingress: [{ domainInternal: address }] };
  // Kubernetes' times have no fractions.
  const lastTransitionTime = now.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    observedGeneration: generation,
    publicLoadBalancer: loadBalancer,
    privateLoadBalancer: loadBalancer,
    conditions: CONDITIONS.map((type) => ({ type, status: 'True', lastTransitionTime })),
  };
}
