import { parseRequest } from '../../../lab/kubernetes-api/request.ts';

const parse = (method: string, path: string) => {
  const { resource, ...request } = parseRequest(method, new URL(path, 'https://localhost'));
  return { ...request, resource: resource.plural };
};

test.each([
  ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods', namespace: undefined, name: '' }],
  ['GET', '/api/v1/pods?watch=1', { verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/namespaces/prod/pods?watch=false', { verb: 'list', namespace: 'prod' }],
  ['GET', '/api/v1/namespaces/prod', { verb: 'get', resource: 'namespaces', namespace: undefined, name: 'prod' }],
  ['PATCH', '/api/v1/namespaces/prod/status', { verb: 'patch', resource: 'namespaces', subresource: 'status' }],
  ['POST', '/api/v1/namespaces/prod/pods', { verb: 'create', resource: 'pods', name: '' }],
  ['POST', '/api/v1/namespaces/prod/pods/one/binding', { verb: 'create', subresource: 'binding', name: 'one' }],
  ['PUT', '/api/v1/nodes/worker-a', { verb: 'update', resource: 'nodes', name: 'worker-a' }],
  [
    'DELETE',
    '/apis/kubevirt.io/v1/namespaces/prod/virtualmachines/web',
    { verb: 'delete', resource: 'virtualmachines' },
  ],
])('%s %s is understood', (method, path, expected) => {
  expect(parse(method, path)).toMatchObject(expected);
});

test.each([
  ['GET', '/', 404],
  ['GET', '/api/v2/pods', 404],
  ['GET', '/apis/apps/v1/statefulsets', 404],
  ['GET', '/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances/web/status', 404],
  ['GET', '/api/v1/pods/one', 404],
  ['GET', '/api/v1/namespaces/prod/nodes', 404],
  ['GET', '/api/v1/namespaces/prod/pods/one/status/more', 404],
  ['POST', '/api/v1/pods', 405],
  ['POST', '/api/v1/namespaces/prod/pods/one', 405],
  ['GET', '/api/v1/namespaces/prod/pods/one/binding', 405],
  ['DELETE', '/api/v1/namespaces/prod/pods', 405],
  ['DELETE', '/api/v1/namespaces/prod/pods/one/status', 405],
  ['PUT', '/api/v1/namespaces/prod/pods', 405],
  ['TRACE', '/api/v1/namespaces/prod/pods', 405],
])('%s %s is rejected with %i', (method, path, code) => {
  expect(() => parse(method, path)).toThrow(expect.objectContaining({ status: expect.objectContaining({ code }) }));
});
