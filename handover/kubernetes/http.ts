import { Agent, type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { SettingsError } from '../decision/errors.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** kube-apiserver closes a connection that was idle for 90 s; ours ends first, so that no request meets that end. */
const IDLE_TIMEOUT_MS = 60_000;
/** A burst of requests shares these: a TLS handshake costs more than most requests. */
const MAX_CONNECTIONS = 16;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments, such as `api`, `v1`, `pods`; they are escaped when they are sent. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** For a PATCH a JSON merge patch. */
  readonly body?: object;
  /** Besides, or in place of, those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpResponse {
  readonly status: number;
  readonly content: string;
}

/** Sends a request to the Kubernetes API; rejects where there is no answer. */
export type Exchange = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * JSON over HTTPS. Credentials are client-node's; its API classes are not used, for they open a connection for every
 * request and take as much memory as all the rest of a function.
 * @param userAgent names the function in the API server's audit log
 * @throws SettingsError when there is no usable kubeconfig
 */
export function httpsExchange(userAgent: string, config: KubeConfig = fromEnvironment()): Exchange {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new SettingsError('settings: KUBECONFIG names no cluster');
  // Where there is a proxy, client-node has an agent that goes through it.
  const agent =
    cluster.proxyUrl === undefined
      ? new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_TIMEOUT_MS })
      : undefined;
  return async ({ method, path, query, body, headers }) => {
    const url = new URL(path.map(encodeURIComponent).join('/'), `${cluster.server}/`);
    url.search = new URLSearchParams(query).toString();
    const options: RequestOptions = { method };
    // For every request: a service account's token expires within the hour, and its file is read again from time to time.
    await config.applyToHTTPSOptions(options);
    return await send(
      url,
      {
        ...options,
        ...(agent && { agent }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        headers: {
          ...(options.headers as Record<string, string>),
          Accept: 'application/json',
          'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          'User-Agent': userAgent,
          ...headers,
        },
      },
      body && JSON.stringify(body),
    );
  };
}

/** A kept connection may end at the moment of its next use; what then got no answer is sent once more, on another. */
async function send(url: URL, options: RequestOptions, body: string | undefined): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      text(response).then((content) => resolve({ status: response.statusCode ?? 0, content }), reject);
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(url, options, body));
      else reject(error);
    });
    sent.end(body);
  });
}

/** KUBECONFIG, or the pod's own service account. */
function fromEnvironment(): KubeConfig {
  if (!process.env.KUBECONFIG && !process.env.KUBERNETES_SERVICE_HOST) {
    throw new SettingsError('settings: KUBECONFIG must be set outside a cluster');
  }
  const config = new KubeConfig();
  try {
    // By itself the library would also try the home directory and a server on this host, which nobody means.
    if (process.env.KUBECONFIG) config.loadFromDefault();
    else config.loadFromCluster();
  } catch (error) {
    throw new SettingsError(`settings: KUBECONFIG: ${(error as Error).message}`, { cause: error });
  }
  return config;
}
