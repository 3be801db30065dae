import type { ApiServerSource, Broker, PingSource, Trigger } from '../../src/index.ts';

const sink = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'orders', namespace: 'shop' } };
const delivery = {
  deadLetterSink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'morgue', namespace: 'shop' }, uri: '/late' },
  retry: 5,
  backoffPolicy: 'exponential',
  backoffDelay: 'PT0.2S',
  timeout: 'PT30S',
  retryAfterMax: 'PT1M',
  format: 'binary',
} as const;

/** Manifests in which each field that the checks know is used at least once. */
export const BROKER: Broker = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: {
    name: 'orders',
    namespace: 'shop',
    labels: { app: 'shop', 'example.com/part-of': 'shop' },
    annotations: { 'messaging.knative.dev/async-handler': 'true', 'example.com/why': 'because' },
  },
  spec: { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'config-br', namespace: 'knative-eventing' }, delivery },
};

export const TRIGGER: Trigger = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'ship', namespace: 'shop' },
  spec: {
    broker: 'orders',
    filters: [
      { any: [{ exact: { type: 'dev.knative.apiserver.resource.add', kind: 'Pod' } }, { prefix: { subject: '/a' } }] },
      { all: [{ suffix: { source: 'x' } }, { not: { cesql: "name LIKE 'a%'" } }] },
    ],
    subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'ship' } },
    delivery,
  },
};

export const API_SERVER_SOURCE: ApiServerSource = {
  apiVersion: 'sources.knative.dev/v1',
  kind: 'ApiServerSource',
  metadata: { name: 'pods', namespace: 'shop' },
  spec: {
    serviceAccountName: 'pods-source',
    mode: 'Resource',
    namespaceSelector: {},
    owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    resources: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        selector: {
          matchLabels: { app: 'shop' },
          matchExpressions: [
            { key: 'tier', operator: 'In', values: ['web'] },
            { key: 'debug', operator: 'DoesNotExist' },
          ],
        },
      },
    ],
    filters: [{ exact: { namespace: 'shop' } }],
    sink,
    ceOverrides: { extensions: { cluster: 'one' } },
  },
};

export const PING_SOURCE: PingSource = {
  apiVersion: 'sources.knative.dev/v1',
  kind: 'PingSource',
  metadata: { name: 'hourly', namespace: 'shop' },
  spec: {
    schedule: '0 * * * *',
    timezone: 'Europe/Vienna',
    contentType: 'application/json',
    data: '{"sweep":true}',
    sink,
    ceOverrides: { extensions: { cluster: 'one' } },
  },
};

export const EXAMPLES = { BROKER, TRIGGER, API_SERVER_SOURCE, PING_SOURCE };

/** A copy with another value at a JSON pointer, or, where that is `undefined`, without it. */
export function changed(manifest: unknown, where: string, value: unknown): unknown {
  const copy = structuredClone(manifest) as Record<string, unknown>;
  const keys = where.split('/').slice(1);
  const last = keys.pop()!.replaceAll('~1', '/').replaceAll('~0', '~');
  let inner: Record<string, unknown> = copy;
  for (const key of keys) {
    inner[key] ??= {};
    inner = inner[key] as Record<string, unknown>;
  }
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return copy;
}
