import type { IncomingMessage, ServerResponse } from 'node:http';
import { reviewAccess } from './access-review.ts';
import { badRequest } from './errors.ts';
import { fromStored, storedAs, toStored } from './event-versions.ts';
import type { DeleteOptions, Operations } from './operations.ts';
import { type ApiRequest, mediaType, readBody } from './request.ts';
import { apiVersionOf, type Target } from './resources.ts';
import { fieldSelector, labelSelector, type Matcher } from './selectors.ts';
import type { Store } from './store.ts';
import { streamWatch } from './watch.ts';

export interface Answer {
  readonly code: number;
  readonly body: unknown;
}

/** Does what a request to a resource asks for; a watch takes the response over and answers `undefined`. */
export async function handleApiRequest(
  store: Store,
  operations: Operations,
  api: ApiRequest,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const { name, subresource } = api;
  const resource = storedAs(api.resource);
  const target: Target = { resource, namespace: api.namespace ?? '', name, subresource };
  if (url.searchParams.has('dryRun')) throw badRequest('dryRun is not supported by this API server');
  const ok = (body: unknown): Answer => ({ code: 200, body: fromStored(api.resource, body) });
  switch (api.verb) {
    case 'get':
      return ok(operations.get(target));
    case 'list':
      return ok(list(store, api, matcher(api, url)));
    case 'watch':
      streamWatch(store, watchRequest(api, url), response);
      return undefined;
    case 'create': {
      const body = toStored(api.resource, await readBody(request));
      if (resource.kind === 'SubjectAccessReview') return { code: 201, body: reviewAccess(store, body) };
      if (subresource !== 'binding') {
        return { code: 201, body: fromStored(api.resource, operations.create(resource, target.namespace, body)) };
      }
      operations.bind(target, (body ?? {}) as Parameters<Operations['bind']>[1]);
      return { code: 201, body: success(201) };
    }
    case 'update':
      return ok(operations.replace(target, toStored(api.resource, await readBody(request))));
    case 'patch': {
      const body = toStored(api.resource, await readBody(request));
      return ok(operations.patch(target, mediaType(request), body));
    }
    case 'delete': {
      const { object, gone } = operations.delete(target, deleteOptions(url, await readBody(request)));
      // Pods and objects that wait for finalizers are returned, others only named.
      if (!gone || resource.kind === 'Pod') return ok(object);
      const { group, plural } = resource;
      return ok({ ...success(), details: { name, ...(group && { group }), kind: plural, uid: object.metadata.uid } });
    }
  }
}

const success = (code?: number) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(code !== undefined && { code }),
});

function list(store: Store, { resource }: ApiRequest, matches: Matcher) {
  return {
    apiVersion: apiVersionOf(resource),
    kind: `${resource.kind}List`,
    metadata: { resourceVersion: String(store.version) },
    items: store.list(storedAs(resource), matches).map((object) => fromStored(resource, object)),
  };
}

function matcher({ resource, namespace, name }: ApiRequest, url: URL): Matcher {
  const labels = labelSelector(url.searchParams.get('labelSelector') ?? '');
  const fields = fieldSelector(resource, url.searchParams.get('fieldSelector') ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === '' || object.metadata.name === name) &&
    labels(object) &&
    fields(object);
}

function watchRequest(api: ApiRequest, url: URL) {
  const query = url.searchParams;
  const resourceVersion = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(resourceVersion)) throw badRequest(`invalid resource version "${resourceVersion}"`);
  const seconds = query.get('timeoutSeconds');
  return {
    resource: api.resource,
    matches: matcher(api, url),
    resourceVersion,
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: isTrue(query.get('sendInitialEvents')),
    timeoutSeconds: seconds === null ? undefined : Number(seconds),
  };
}

const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

/** Options come in the body or, as client-node sends some of them, in the query. */
function deleteOptions(url: URL, body: unknown): DeleteOptions {
  const seconds = url.searchParams.get('gracePeriodSeconds');
  return { ...(seconds !== null && { gracePeriodSeconds: Number(seconds) }), ...(body as DeleteOptions | undefined) };
}
