import { CustomObjectsApi, type KubeConfig } from '@kubernetes/client-node';
import type { KubernetesObject, Manifest } from './objects.ts';
import { isStatus, nameOf, unlessGone } from './request.ts';
import { Watched } from './watched.ts';

interface Type {
  group: string;
  version: string;
  plural: string;
}

type Replacement<T> = Type & { namespace: string; name: string; body: T };

/** One of KubeVirt's kinds: its watch, and writes that read again when someone else was faster. */
export class CustomResource<T extends KubernetesObject> extends Watched<T> {
  readonly #api: CustomObjectsApi;
  readonly #type: Type;

  constructor(config: KubeConfig, plural: string, changed: () => void) {
    const api = config.makeApiClient(CustomObjectsApi);
    const type = { group: 'kubevirt.io', version: 'v1', plural };
    const list = () => api.listCustomObjectForAllNamespaces({ ...type, resourcePlural: plural });
    super(config, `/apis/kubevirt.io/v1/${plural}`, list, changed);
    this.#api = api;
    this.#type = type;
  }

  async create(manifest: Manifest<T>): Promise<T> {
    return this.#api.createNamespacedCustomObject({
      ...this.#type,
      namespace: manifest.metadata.namespace,
      body: manifest,
    });
  }

  async delete(object: T): Promise<void> {
    const body = { preconditions: { uid: object.metadata.uid } };
    await unlessGone(this.#api.deleteNamespacedCustomObject({ ...this.#type, ...nameOf(object), body }), 409);
  }

  /**
   * Applies `change` to the object as it is now, and gives what was written; does nothing if it is gone. Its status only
   * where there is no subresource.
   */
  async update(object: T, change: (draft: T) => void): Promise<T | undefined> {
    return this.#readAndReplace(object, change, (request) => this.#api.replaceNamespacedCustomObject(request));
  }

  async updateStatus(object: T, change: (draft: T) => void): Promise<T | undefined> {
    return this.#readAndReplace(object, change, (request) => this.#api.replaceNamespacedCustomObjectStatus(request));
  }

  async #readAndReplace(
    object: T,
    change: (draft: T) => void,
    replace: (request: Replacement<T>) => Promise<T>,
  ): Promise<T | undefined> {
    const request = { ...this.#type, ...nameOf(object) };
    for (;;) {
      const body: T | undefined = await unlessGone(this.#api.getNamespacedCustomObject(request));
      if (body?.metadata.uid !== object.metadata.uid) return undefined;
      change(body);
      try {
        return await unlessGone(replace({ ...request, body }));
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
      }
    }
  }
}
