import { Agent, type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { SettingsError } from '../../functions/settings.ts';
import { TryAgainError } from '../decision/errors.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** kube-apiserver closes a connection that was idle for 90 s; ours ends first, so that no request meets that end. */
const IDLE_TIMEOUT_MS = 60_000;
/** A burst of requests shares these: a TLS handshake costs more than most requests. */
const MOST_CONNECTIONS = 16;

export interface ApiRequest {
  /** For error messages: what is done to which object. */
  readonly what: string;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments, such as `api`, `v1`, `pods`; they are escaped here. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** For a PATCH a JSON merge patch. */
  readonly body?: object;
}

/** What the API server says of an object that is not there (404), or not as the request takes it to be (409). */
export type Refusal = 'gone' | 'conflict';

/**
 * JSON requests to the Kubernetes API. Credentials are client-node's; its API classes are not used, for they open a
 * connection for every request and take as much memory as all the rest of a function.
 */
export class KubernetesHttp {
  readonly #config: KubeConfig;
  readonly #server: string;
  readonly #userAgent: string;
  readonly #agent: Agent | undefined;

  /** @throws SettingsError when there is no usable kubeconfig */
  constructor(userAgent: string, config: KubeConfig = fromEnvironment()) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new SettingsError('settings: KUBECONFIG names no cluster');
    this.#config = config;
    this.#server = cluster.server;
    this.#userAgent = userAgent;
    // Where there is a proxy, client-node has an agent that goes through it.
    if (cluster.proxyUrl === undefined) {
      this.#agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS, timeout: IDLE_TIMEOUT_MS });
    }
  }

  /** @throws TryAgainError when the API server is away, or refuses for any other reason than a Refusal */
  async send<Result>({ what, method = 'GET', path, query, body }: ApiRequest): Promise<Result | Refusal> {
    try {
      const url = new URL(path.map(encodeURIComponent).join('/'), `${this.#server}/`);
      url.search = new URLSearchParams(query).toString();
      const { status, content } = await exchange(url, await this.#options(method), body && JSON.stringify(body));
      if (status === 404) return 'gone';
      if (status === 409) return 'conflict';
      if (status < 200 || status > 299) throw new Error(`HTTP ${status}`);
      return JSON.parse(content) as Result;
    } catch (error) {
      throw new TryAgainError(`Kubernetes API: ${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  async #options(method: string): Promise<RequestOptions> {
    const options: RequestOptions = { method };
    // For every request: a service account's token expires within the hour, and its file is read again from time to time.
    await this.#config.applyToHTTPSOptions(options);
    return {
      ...options,
      ...(this.#agent && { agent: this.#agent }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        ...(options.headers as Record<string, string>),
        Accept: 'application/json',
        'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        'User-Agent': this.#userAgent,
      },
    };
  }
}

interface Exchange {
  readonly status: number;
  readonly content: string;
}

/** A kept connection may end at the moment of its next use; what then got no answer is sent once more, on another. */
async function exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      text(response).then((content) => resolve({ status: response.statusCode ?? 0, content }), reject);
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(exchange(url, options, body));
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
