import { expect, test } from '@jest/globals';
import { installManifests } from '../../../../lab/cluster/knative/install-manifests.ts';

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'knative-serving' } };
const config = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config-network', namespace: 'knative-serving' },
  data: { _example: 'text' },
};
const kind = { kind: 'CustomResourceDefinition', metadata: { name: 'certificates.networking.internal.knative.dev' } };

function deployment(resources: object) {
  const containers = [{ name: 'activator', image: 'ko://knative.dev/serving/cmd/activator', resources }];
  return {
    kind: 'Deployment',
    metadata: { name: 'activator', namespace: 'knative-serving' },
    spec: { template: { spec: { containers } } },
  };
}

test('Kinds come apart from the objects, among which namespaces are first.', () => {
  const { kinds, objects } = installManifests([config, kind, namespace]);
  expect(kinds).toEqual([kind]);
  expect(objects).toEqual([namespace, config]);
});

test('An image that ko would make becomes ours, wherever it stands.', () => {
  const { objects } = installManifests([
    { ...config, data: { 'queue-sidecar-image': 'ko://knative.dev/serving/cmd/queue' } },
  ]);
  expect(objects).toMatchObject([
    { data: { 'queue-sidecar-image': 'dev.local/knative.dev/serving/cmd/queue:pinned' } },
  ]);
});

test('A Deployment asks for little of a core, is not limited to any, and keeps what it says of memory.', () => {
  const resources = { requests: { cpu: '300m', memory: '60Mi' }, limits: { cpu: '1', memory: '600Mi' } };
  const { objects } = installManifests([deployment(resources)]);
  expect(objects[0]?.spec?.template?.spec.containers).toEqual([
    {
      name: 'activator',
      image: 'dev.local/knative.dev/serving/cmd/activator:pinned',
      resources: { requests: { cpu: '5m', memory: '60Mi' }, limits: { memory: '600Mi' } },
    },
  ]);
});

test('Settings are in a ConfigMap from the start, beside what it says itself.', () => {
  const { objects } = installManifests([config], { 'config-network': { 'ingress-class': 'lab' } });
  expect(objects).toMatchObject([{ data: { _example: 'text', 'ingress-class': 'lab' } }]);
});

test('A ConfigMap that is to be set and is not there is an error that names it.', () => {
  expect(() => installManifests([namespace], { 'config-network': {} })).toThrow('There is no ConfigMap config-network');
});

test('An object that two files define alike comes once, and one that they define differently is an error.', () => {
  expect(installManifests([kind, kind]).kinds).toEqual([kind]);
  expect(() => installManifests([kind, { ...kind, spec: {} }])).toThrow(
    'Two files define CustomResourceDefinition /certificates.networking.internal.knative.dev.',
  );
});

test('What needs metrics or an image that nobody makes here is left out, and so are documents without content.', () => {
  const of = (kind: string, name: string) => ({ kind, metadata: { name } });
  const leftOut = [
    of('HorizontalPodAutoscaler', 'activator'),
    of('PodDisruptionBudget', 'activator-pdb'),
    of('Image', 'queue-proxy'),
    of('Deployment', 'job-sink'),
    of('StatefulSet', 'request-reply'),
    null,
  ];
  expect(installManifests(leftOut)).toEqual({ kinds: [], objects: [] });
});
