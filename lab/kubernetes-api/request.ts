import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest, methodNotAllowed, pathNotFound, unsupportedMediaType } from './errors.ts';
import { findResource, type Resource } from './resources.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** What a request to a resource asks for, in the words of Kubernetes' own authorization attributes. */
export interface ApiRequest {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly subresource: string | undefined;
  /** `undefined` when the request is for all namespaces or for a cluster-wide resource. */
  readonly namespace: string | undefined;
  /** Empty for collections. */
  readonly name: string;
}

/**
 * Reads method and URL of a request below `/api/v1` or `/apis/GROUP/VERSION`.
 * @throws ApiError 404 on a path that is not served, 405 on a method that the path does not take.
 */
export function parseRequest(method: string, url: URL): ApiRequest {
  const path = parsePath(url.pathname.split('/').filter(Boolean).map(decodeURIComponent));
  if (!path) throw pathNotFound();
  const { resource, namespace, name, subresource } = path;
  if (subresource !== undefined && !resource.subresources.includes(subresource)) throw pathNotFound();
  const verb = verbOf(method, name !== '', url.searchParams);
  const binding = subresource === 'binding';
  const ofCollection = verb === 'list' || verb === 'watch';
  if (!verb || (binding ? verb !== 'create' : verb === 'create' && name !== '')) throw methodNotAllowed();
  if (verb === 'delete' && subresource !== undefined) throw methodNotAllowed();
  // A namespaced resource can be listed across namespaces, but each object lives in one.
  if (resource.namespaced && namespace === undefined && !ofCollection) throw methodNotAllowed();
  return { verb, resource, subresource, namespace, name };
}

interface Path {
  resource: Resource;
  namespace: string | undefined;
  name: string;
  subresource: string | undefined;
}

function parsePath(segments: readonly string[]): Path | undefined {
  const [root, ...rest] = segments;
  const group = root === 'apis' ? rest.shift() : '';
  const version = rest.shift();
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined) return undefined;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 ? findResource(group, version, rest[2]!) : undefined;
  const [plural, name = '', subresource, ...more] = inNamespace ? rest.slice(2) : rest;
  const resource = inNamespace ?? findResource(group, version, plural ?? '');
  if (!resource || more.length > 0 || resource.namespaced !== (inNamespace !== undefined || isAcross(resource, name))) {
    return undefined;
  }
  return { resource, namespace: inNamespace ? rest[1] : undefined, name, subresource };
}

/** `/api/v1/pods` is fine for a namespaced resource, `/api/v1/pods/NAME` is not. */
const isAcross = (resource: Resource, name: string): boolean => resource.namespaced && name === '';

function verbOf(method: string, named: boolean, query: URLSearchParams): Verb | undefined {
  switch (method) {
    case 'GET':
      if (named) return 'get';
      return ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return named ? 'update' : undefined;
    case 'PATCH':
      return named ? 'patch' : undefined;
    case 'DELETE':
      return named ? 'delete' : undefined;
    default:
      return undefined;
  }
}

export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]!.trim().toLowerCase();

const bodyLimit = 3 * 1024 * 1024;

/**
 * Reads the body as JSON; an empty body is `undefined`.
 * @throws ApiError 400 when it is not JSON, 413 above 3 MiB, 415 when its media type is not JSON.
 */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > bodyLimit) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`);
    }
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return undefined;
  const type = mediaType(request);
  if (!/^application\/(.+\+)?json$/.test(type)) throw unsupportedMediaType(['application/json']);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw badRequest(`couldn't parse the body as JSON: ${(error as Error).message}`);
  }
}
