import { expect, test } from '@jest/globals';
import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import { endpointsOf } from '../../../../lab/cluster/knative/network/endpoints.ts';

const service: V1Service = {
  spec: {
    ports: [
      { name: 'http', port: 80 },
      { name: 'http-metrics', port: 9090 },
    ],
  },
};

function slice(ready: boolean | undefined, ...addresses: string[]): V1EndpointSlice {
  return {
    addressType: 'IPv4',
    ports: [
      { name: 'http-metrics', port: 9090 },
      { name: 'http', port: 8012 },
    ],
    endpoints: [{ addresses, conditions: ready === undefined ? {} : { ready } }],
  };
}

test('The port of a Service is found by number or name, and served at the port of the same name in its slices.', () => {
  const slices = [slice(true, '10.244.1.5'), slice(true, '10.244.2.7')];
  const expected = [
    { address: '10.244.1.5', port: 8012 },
    { address: '10.244.2.7', port: 8012 },
  ];
  expect(endpointsOf({ servicePort: 80 }, service, slices)).toEqual(expected);
  expect(endpointsOf({ servicePort: 'http' }, service, slices)).toEqual(expected);
});

test('Only an endpoint that says it is not ready is left out.', () => {
  const slices = [slice(false, '10.244.1.5'), slice(undefined, '10.244.1.6')];
  expect(endpointsOf({ servicePort: 80 }, service, slices)).toEqual([{ address: '10.244.1.6', port: 8012 }]);
});

test('Without the Service, its port or any slice there is no endpoint.', () => {
  expect(endpointsOf({ servicePort: 80 }, undefined, [slice(true, '10.244.1.5')])).toEqual([]);
  expect(endpointsOf({ servicePort: 81 }, service, [slice(true, '10.244.1.5')])).toEqual([]);
  expect(endpointsOf({ servicePort: 80 }, service, [])).toEqual([]);
});
