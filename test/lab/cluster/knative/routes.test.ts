import { expect, test } from '@jest/globals';
import type { Ingress, IngressPath } from '../../../../lab/cluster/knative/network/ingress.ts';
import { Routes } from '../../../../lab/cluster/knative/network/routes.ts';

const HOST = 'reuse-port.ovn-handover.svc.cluster.local';

function to(serviceName: string, path: Omit<IngressPath, 'splits'> = {}): IngressPath {
  return { ...path, splits: [{ serviceNamespace: 'ovn-handover', serviceName, servicePort: 80, percent: 100 }] };
}

function ingress(...paths: readonly IngressPath[]): Ingress {
  return { spec: { rules: [{ hosts: [HOST, 'reuse-port.ovn-handover'], http: { paths } }] } };
}

function serviceFor(
  routes: Routes,
  asked: { host?: string; url?: string; headers?: Record<string, string> },
  chance = 0,
) {
  return routes.find({ host: HOST, url: '/', headers: {}, ...asked }, chance)?.split.serviceName;
}

test('A request goes by its host, with or without a port and in any case of letters.', () => {
  const routes = new Routes([ingress(to('first'))]);
  for (const host of [HOST, `${HOST}:80`, 'Reuse-Port.ovn-handover'])
    expect(serviceFor(routes, { host })).toBe('first');
});

test('A host that no Ingress names has no destination.', () => {
  const routes = new Routes([ingress(to('first'))]);
  expect(serviceFor(routes, { host: 'release-port.ovn-handover' })).toBeUndefined();
});

test('The longest prefix is taken, and among equals the one that asks for more headers, wherever it stands.', () => {
  const routes = new Routes([
    ingress(
      to('all'),
      to('tagged', { headers: { 'Knative-Serving-Tag': { exact: 'old' } } }),
      to('deep', { path: '/deep' }),
    ),
  ]);
  expect(serviceFor(routes, {})).toBe('all');
  expect(serviceFor(routes, { headers: { 'knative-serving-tag': 'old' } })).toBe('tagged');
  expect(serviceFor(routes, { headers: { 'knative-serving-tag': 'new' } })).toBe('all');
  expect(serviceFor(routes, { url: '/deep/er' })).toBe('deep');
});

test('Splits share the requests by their percents.', () => {
  const split = (serviceName: string, percent: number) => ({ ...to(serviceName).splits[0]!, percent });
  const routes = new Routes([ingress({ splits: [split('old', 90), split('none', 0), split('new', 10)] })]);
  expect([0, 0.89, 0.9, 0.999].map((chance) => serviceFor(routes, {}, chance))).toEqual(['old', 'old', 'new', 'new']);
});

test('A path and a split may set headers, and a path the host.', () => {
  const [split] = to('first').splits;
  const path = {
    rewriteHost: 'elsewhere',
    appendHeaders: { 'K-Network-Hash': 'x' },
    splits: [{ ...split!, appendHeaders: { 'Knative-Serving-Revision': 'first-00001' } }],
  };
  const found = new Routes([ingress(path)]).find({ host: HOST, url: '/', headers: {} }, 0);
  expect(found?.headers).toEqual({
    'K-Network-Hash': 'x',
    'Knative-Serving-Revision': 'first-00001',
    host: 'elsewhere',
  });
});
