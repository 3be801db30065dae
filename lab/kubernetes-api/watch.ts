import type { ServerResponse } from 'node:http';
import { ApiError } from './errors.ts';
import type { KubernetesObject } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Matcher } from './selectors.ts';
import type { Change, Store } from './store.ts';

export interface WatchRequest {
  readonly resource: Resource;
  readonly matches: Matcher;
  /** Absent or `0`: first the objects as they are (ADDED), then changes. Else: changes after that version. */
  readonly resourceVersion: string;
  readonly allowBookmarks: boolean;
  /** Streaming list: the objects as they are, a bookmark that marks their end, then changes. */
  readonly sendInitialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/**
 * What a watcher sees of a change. An object that begins to match appears as ADDED, one that ceases to match as
 * DELETED (as it last matched, with the version of the change).
 */
export function watchEvent(change: Change, matches: Matcher): WatchEvent | undefined {
  const { object, previous } = change;
  const is = change.type !== 'DELETED' && matches(object);
  const was = previous !== undefined && matches(previous);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  if (change.type === 'DELETED') return { type: 'DELETED', object };
  const { resourceVersion } = object.metadata;
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } };
}

const bookmarkIntervalMs = 60_000;

/** Streams events, one JSON document a line, until the client leaves or the time is up. */
export function streamWatch(store: Store, request: WatchRequest, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const send = (event: WatchEvent): void => {
    response.write(`${JSON.stringify(event)}\n`);
  };
  const sendChange = (change: Change): void => {
    const event = change.resource === request.resource ? watchEvent(change, request.matches) : undefined;
    if (event) send(event);
  };

  try {
    for (const event of initialEvents(store, request)) send(event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Once the request is understood, kube-apiserver reports what is wrong with the version as an event.
    send({ type: 'ERROR', object: error.status });
    response.end();
    return;
  }

  const unsubscribe = store.subscribe(sendChange);
  const sendBookmark = (): void => {
    if (request.allowBookmarks) send(bookmark(request.resource, store.version));
  };
  const bookmarks = setInterval(sendBookmark, bookmarkIntervalMs);
  // Not on 'close' alone: a client that reads slowly still has the end before it while changes go on.
  const stop = (): void => {
    unsubscribe();
    clearInterval(bookmarks);
    clearTimeout(timeout);
  };
  const timeout =
    request.timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => {
          sendBookmark();
          stop();
          response.end();
        }, request.timeoutSeconds * 1000);
  response.on('close', stop);
}

function initialEvents(store: Store, request: WatchRequest): WatchEvent[] {
  const { resource, matches, resourceVersion, sendInitialEvents } = request;
  const fromNow = resourceVersion === '' || resourceVersion === '0';
  if (!fromNow && !sendInitialEvents) {
    return store
      .since(Number(resourceVersion))
      .filter((change) => change.resource === resource)
      .map((change) => watchEvent(change, matches))
      .filter((event) => event !== undefined);
  }
  const added: WatchEvent[] = store.list(resource, matches).map((object) => ({ type: 'ADDED', object }));
  if (!sendInitialEvents) return added;
  return [...added, bookmark(resource, store.version, { 'k8s.io/initial-events-end': 'true' })];
}

function bookmark(resource: Resource, version: number, annotations?: Record<string, string>): WatchEvent {
  const metadata = { resourceVersion: String(version), ...(annotations && { annotations }) };
  const object: KubernetesObject = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
  return { type: 'BOOKMARK', object };
}
