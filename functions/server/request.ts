import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { CloudEvent } from 'cloudevents';
import { eventOf, MalformedEventError } from 'knative-eventing-ts-sdk';
import type { JsonLog } from './log.ts';

/** What func calls a function with beside the event. */
export interface Context {
  readonly log: JsonLog;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly httpVersion: string;
  readonly cloudevent?: CloudEvent<unknown>;
}

/** The request is longer than the server takes. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** @throws TooLongError for more than `maxBytes`; the rest is left for Node.js to throw away */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Else the connection would be gone before there is an answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > maxBytes) throw new TooLongError(`the request is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** What is no CloudEvent comes to the function as a request of any other kind does: by its body alone. */
export function contextOf(request: IncomingMessage, query: string | undefined, bytes: Buffer, log: JsonLog): Context {
  const { headers, httpVersion, method = '' } = request;
  const cloudevent = eventIn(headers, bytes);
  return {
    ...{ log, method, headers, httpVersion, query: Object.fromEntries(new URLSearchParams(query)) },
    ...(cloudevent === undefined
      ? { body: bodyOf(headers['content-type'] ?? '', bytes) }
      : { cloudevent, body: cloudevent.data }),
  };
}

function eventIn(headers: IncomingHttpHeaders, body: Buffer): CloudEvent<unknown> | undefined {
  try {
    return eventOf({ headers, body });
  } catch (error) {
    if (error instanceof MalformedEventError) return undefined;
    throw error;
  }
}

function bodyOf(contentType: string, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (/^text\//i.test(contentType)) return bytes.toString();
  if (!/^application\/([^;]*\+)?json\b/i.test(contentType)) return bytes;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes.toString();
  }
}
