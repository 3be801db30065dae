import type { CloudEvent } from 'cloudevents';
import { applied } from 'knative-eventing-ts-sdk';

/** An answer as it is sent. */
export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What func lets a function return instead of a CloudEvent, a text or a value. */
interface StructuredReturn {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export function textResponse(status: number, line: string): Response {
  return { status, headers: TEXT, body: line };
}

/** Makes an answer of what a function has returned, by the contract of func's runtime for Node.js. */
export function responseOf(returned: unknown): Response {
  if (isCloudEvent(returned)) {
    const { statusCode: status, headers, body } = applied(returned);
    return { status, headers, body };
  }
  if (typeof returned === 'string' && returned !== '') return textResponse(200, returned);
  if (!returned) return { status: 204, headers: {}, body: '' };
  const { statusCode: status = 200, headers = {}, body = returned } = returned as StructuredReturn;
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return { status, headers: { ...JSON_TYPE, ...Object.fromEntries(named) }, body: isRaw ? body : JSON.stringify(body) };
}

/** By its shape: a function may have a copy of the class of its own. */
function isCloudEvent(returned: unknown): returned is CloudEvent<unknown> {
  return typeof returned === 'object' && returned !== null && 'specversion' in returned && 'validate' in returned;
}
