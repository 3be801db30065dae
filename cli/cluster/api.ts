import type { Exchange, HttpRequest } from '../../handover/kubernetes/http.ts';
import { CommandError, EXIT } from '../errors.ts';

/** An object of Kubernetes of which only what the caller names is known. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string | Date;
    readonly deletionTimestamp?: string | Date;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
}

/** Which objects: those of a kind, in one namespace or in all. */
export interface Kind {
  /** `v1`, or `GROUP/VERSION` */
  readonly apiVersion: string;
  readonly plural: string;
}

/** The API server's answer is an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Any object of the cluster as the user of a kubeconfig. */
export class ClusterApi {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** @returns `undefined` where there is no such object, or no such kind */
  async get<T extends KubernetesObject>(kind: Kind, name: string, namespace?: string): Promise<T | undefined> {
    return (await this.#send({ method: 'GET', path: pathOf(kind, namespace, name) })) as T | undefined;
  }

  /** @returns nothing where the kind is not served */
  async list<T extends KubernetesObject>(
    kind: Kind,
    { namespace, labels, fields }: { namespace?: string; labels?: string; fields?: string } = {},
  ): Promise<readonly T[]> {
    const query = { ...(labels && { labelSelector: labels }), ...(fields && { fieldSelector: fields }) };
    const found = await this.#send({ method: 'GET', path: pathOf(kind, namespace), query });
    return (found as { readonly items: readonly T[] } | undefined)?.items ?? [];
  }

  async create<T>(kind: Kind, body: object, namespace?: string): Promise<T> {
    const path = pathOf(kind, namespace);
    const created = await this.#send({ method: 'POST', path, body });
    if (created === undefined) throw new ApiError(404, `the API server does not serve ${path.join('/')}`);
    return created as T;
  }

  /** A JSON merge patch; an object that is gone needs none. */
  async patch(kind: Kind, name: string, namespace: string | undefined, body: object): Promise<void> {
    await this.#send({ method: 'PATCH', path: pathOf(kind, namespace, name), body });
  }

  /** @returns whether there was one */
  async delete(kind: Kind, name: string, namespace?: string): Promise<boolean> {
    return (await this.#send({ method: 'DELETE', path: pathOf(kind, namespace, name) })) !== undefined;
  }

  /** What is at a path, such as `version` or `apis/GROUP`. @returns `undefined` where nothing is */
  async at<T>(path: string): Promise<T | undefined> {
    return (await this.#send({ method: 'GET', path: path.split('/') })) as T | undefined;
  }

  /** Text, such as the log of a container. */
  async text(path: readonly string[], query: Readonly<Record<string, string>>): Promise<string> {
    return await this.#content({ method: 'GET', path, query });
  }

  async #send(request: HttpRequest): Promise<unknown> {
    try {
      return JSON.parse(await this.#content(request));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** For what is no object of the API, such as a request through the API server to a Service. */
  async #content(request: HttpRequest): Promise<string> {
    const { status, content } = await this.#exchange(request).catch((error: Error) => {
      throw new CommandError(EXIT.unreachable, `the API server is not reached: ${error.message}`, { cause: error });
    });
    if (status >= 200 && status <= 299) return content;
    throw new ApiError(
      status,
      `${request.method} ${request.path.join('/')}: ${messageIn(content) ?? `HTTP ${status}`}`,
    );
  }
}

export function pathOf({ apiVersion, plural }: Kind, namespace?: string, name?: string): readonly string[] {
  const root = apiVersion.includes('/') ? ['apis', ...apiVersion.split('/')] : ['api', apiVersion];
  return [...root, ...(namespace ? ['namespaces', namespace] : []), plural, ...(name ? [name] : [])];
}

/** What a Status says, or the text itself. */
export function messageIn(content: string): string | undefined {
  try {
    return JSON.parse(content).message;
  } catch {
    return content.trim() || undefined;
  }
}
