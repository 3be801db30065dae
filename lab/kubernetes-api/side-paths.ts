import { type IncomingMessage, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Answer } from './api-handler.ts';
import { ApiError } from './errors.ts';

/** What the API server only passes on: requests to Services, and the logs of containers. */
export interface SidePaths {
  /** URL by `NAMESPACE/SERVICE`: where a request through the API server to that Service goes. */
  readonly services: Map<string, string>;
  /** Text by `NAMESPACE/POD`. */
  readonly logs: Map<string, () => string>;
}

const PROXY = /^\/api\/v1\/namespaces\/([^/]+)\/services\/([^/]+)\/proxy(\/.*)$/;
const LOG = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/;

/** @returns `undefined` for every other path */
export async function sideAnswer(paths: SidePaths, request: IncomingMessage, url: URL): Promise<Answer | undefined> {
  const [, proxied, service = '', rest = '/'] = PROXY.exec(url.pathname) ?? [];
  if (proxied !== undefined) {
    // `[SCHEME:]NAME[:PORT]`
    const name = decodeURIComponent(service)
      .replace(/^https?:/, '')
      .replace(/:.*$/, '');
    const to = paths.services.get(`${proxied}/${name}`);
    if (to === undefined) throw new ApiError(503, 'ServiceUnavailable', `no endpoints available for service "${name}"`);
    return await passOn(request, new URL(rest, to));
  }
  const [, namespace, pod] = LOG.exec(url.pathname) ?? [];
  if (namespace === undefined) return undefined;
  const log = paths.logs.get(`${namespace}/${pod}`);
  if (log === undefined) throw new ApiError(404, 'NotFound', `pods "${pod}" not found`);
  return { code: 200, body: log() };
}

async function passOn(request: IncomingMessage, url: URL): Promise<Answer> {
  const body = await buffer(request);
  const { authorization: _ours, host: _host, ...headers } = request.headers;
  return await new Promise((resolve, reject) => {
    const passed = send(url, { method: request.method, headers }, async (response) => {
      resolve({ code: response.statusCode ?? 502, body: (await buffer(response)).toString() });
    });
    passed.once('error', (error) => reject(new ApiError(502, 'BadGateway', error.message)));
    passed.end(body);
  });
}
