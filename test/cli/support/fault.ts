import type { KubernetesObject } from '@kubernetes/client-node';
import type { Level } from '../../../cli/doctor/finding.ts';
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

export const OWN = 'ovn-handover';
export const reference = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace && { namespace }) },
});
export const EVENTING = 'eventing.knative.dev/v1';
export const SOURCES = 'sources.knative.dev/v1';
export const SERVING = 'serving.knative.dev/v1';
export const ADMISSION = 'admissionregistration.k8s.io/v1';
export const settings = reference('v1', 'ConfigMap', OWN, OWN);
export const secret = reference('v1', 'Secret', 'ovn-client-tls', OWN);
export const vmi = reference('kubevirt.io/v1', 'VirtualMachineInstance', 'web-01', 'prod');

type Reference = ReturnType<typeof reference>;

/** Changes an object for as long as the fault is in. */
export function changed(target: Reference, change: (object: Json) => void): Fault['put'] {
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

export function deleted(target: Reference): Fault['put'] {
  return async ({ objects }) => {
    const { metadata, ...rest } = (await objects.read(target)) as Json;
    await objects.delete(target);
    const { name, namespace, labels, annotations } = metadata;
    return async () => void (await objects.create({ ...rest, metadata: { name, namespace, labels, annotations } }));
  };
}

export const notReady = (target: Reference) =>
  changed(target, (object) => {
    object.status.conditions = [{ type: 'Ready', status: 'False', reason: 'NotFound', message: 'it is not there' }];
  });

export const setting = (values: Record<string, string>) =>
  changed(settings, ({ data }) => {
    Object.assign(data, values);
  });

/** A kind, or all of a version, that is not served. */
export const hidden =
  (...kinds: string[]): Fault['put'] =>
  async ({ api }) => {
    for (const kind of kinds) api.hidden.add(kind);
    return async () => api.hidden.clear();
  };

export const red = 'red' as const;
export const yellow = 'yellow' as const;
