import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '../../../lab/kubernetes-api/object.ts';

/** A Kubernetes object as it can be sent in a create: what only the server sets is taken off. */
export function fixture(name: string): KubernetesObject {
  const object = JSON.parse(
    readFileSync(new URL(`../../../testkit/fixtures/kubevirt/${name}.json`, import.meta.url), 'utf8'),
  );
  const { resourceVersion: _v, uid: _u, creationTimestamp: _c, generation: _g, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export const optIn = { 'kubevirt.io/allow-pod-bridge-network-live-migration': 'true' };

/** A target pod of a VM that opted in. */
export function targetPod(overrides: { spec?: object; labels?: Record<string, string> } = {}): KubernetesObject {
  const pod = fixture('pod-target-01-created-unscheduled');
  const { labels, annotations } = pod.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...labels, ...overrides.labels },
      annotations: { ...annotations, ...optIn },
    },
    spec: { ...(pod.spec as object), ...overrides.spec },
  };
}
