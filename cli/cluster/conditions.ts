import type { KubernetesObject } from './api.ts';

/** An object of Knative: all of its kinds have a condition Ready. */
export interface Conditioned extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly address?: { readonly url?: string };
  };
}

/** `undefined` where it is Ready. */
export function whyNotReady({ status }: Pick<Conditioned, 'status'>): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  return [ready?.reason, ready?.message].filter(Boolean).join(': ') || 'it does not say why';
}
