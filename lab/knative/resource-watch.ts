import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeConfig, KubernetesObjectApi, Watch } from '@kubernetes/client-node';
import type { WatchedResource } from './source-spec.ts';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string };
}

export type Action = 'add' | 'update' | 'delete';

const ACTIONS: Readonly<Record<string, Action>> = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' };
const FIRST_BACKOFF_MS = 800;
const LONGEST_BACKOFF_MS = 30_000;
const SHORTEST_WATCH_MS = 1_000;
/** Less than the 30 s of silence after which the client gives a watch up; the server sends a bookmark before its end. */
const WATCH_SECONDS = 20;

/**
 * Why a watch ended. After `closed` (its end as agreed, or a cut connection) and `unreachable` it goes on from where it
 * was; after `lost` its resourceVersion is not to be trusted.
 */
type End = 'closed' | 'unreachable' | 'lost';

/**
 * Follows one resource as the adapter's reflector does: list, then watch from there. What a list brings is never
 * reported, neither at first nor when the watch has been lost (410), so changes in between are lost too.
 */
export class ResourceWatch {
  readonly #resource: WatchedResource;
  readonly #objects: KubernetesObjectApi;
  readonly #watch: Watch;
  readonly #onChange: (action: Action, object: KubernetesObject) => void;
  readonly #stop = new AbortController();
  readonly #established = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #resourceVersion = '';

  constructor(
    resource: WatchedResource,
    config: KubeConfig,
    onChange: (action: Action, object: KubernetesObject) => void,
  ) {
    this.#resource = resource;
    this.#objects = KubernetesObjectApi.makeApiClient(config);
    this.#watch = new Watch(config);
    this.#onChange = onChange;
  }

  /** Resolves when the first watch stands, however long the API server takes to be there. */
  async start(): Promise<void> {
    this.#running = this.#run();
    await this.#established.promise;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#established.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let backoff = FIRST_BACKOFF_MS;
    let hasVersion = false;
    while (!signal.aborted) {
      hasVersion ||= await this.#list();
      const end = hasVersion ? await this.#watchOnce() : 'unreachable';
      if (end === 'closed') {
        backoff = FIRST_BACKOFF_MS;
        continue;
      }
      if (end === 'lost') hasVersion = false;
      await sleep(backoff, undefined, { signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
    }
  }

  async #list(): Promise<boolean> {
    const { apiVersion, kind, selector } = this.#resource;
    try {
      const list = await this.#objects.list(
        apiVersion,
        kind,
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        selector || undefined,
        1,
      );
      this.#resourceVersion = list.metadata?.resourceVersion ?? '';
      return true;
    } catch (error) {
      if (!this.#stop.signal.aborted) console.error(`source: cannot list ${kind}: ${(error as Error).message}`);
      return false;
    }
  }

  async #watchOnce(): Promise<End> {
    const started = performance.now();
    const { path, selector } = this.#resource;
    const over = Promise.withResolvers<End>();
    let isOver = false;
    let isQuiet = true;
    let isEstablished = false;
    const end = (how: End) => {
      isOver = true;
      over.resolve(how);
    };
    const request = await this.#watch.watch(
      path,
      {
        resourceVersion: this.#resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds: WATCH_SECONDS,
        labelSelector: selector || undefined,
      },
      (type, object: KubernetesObject) => {
        // The client may still read lines after it has called the watch done; the next watch brings them again.
        if (isOver) return;
        if (type === 'ERROR') return end('lost');
        isQuiet = false;
        this.#resourceVersion = object.metadata.resourceVersion;
        const action = ACTIONS[type];
        if (action) this.#onChange(action, object);
      },
      (error: unknown) => end(isRefusal(error) ? 'lost' : isEstablished ? 'closed' : 'unreachable'),
    );
    if (!isOver) {
      isEstablished = true;
      this.#established.resolve();
    }
    const abort = () => request.abort();
    this.#stop.signal.addEventListener('abort', abort);
    if (this.#stop.signal.aborted) abort();
    const how = await over.promise;
    this.#stop.signal.removeEventListener('abort', abort);
    request.abort();
    const isShort = performance.now() - started < SHORTEST_WATCH_MS;
    return how === 'closed' && isQuiet && isShort ? 'lost' : how;
  }
}

/** The API server answered, and not with a watch: e.g. 410 when the resourceVersion is too old. */
function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'statusCode' in error;
}
