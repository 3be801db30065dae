import { type CloudEvent, type Headers, HTTP } from 'cloudevents';
import { MalformedEventError } from './malformed-event-error.ts';

/** An HTTP request as it came in, e.g. Node's `IncomingMessage.headers` and the body that was read. */
export interface HttpMessage {
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array;
}

/**
 * The CloudEvent of an HTTP request, in binary or structured mode; for whoever has no function runtime that does it.
 * The parsers of this package read it.
 *
 * @throws MalformedEventError with status 400 for what is no CloudEvent, or a batch of them, which Knative never sends.
 */
export function eventOf({ headers, body }: HttpMessage): CloudEvent<unknown> {
  const event = toEvent(headers, textOf(body));
  if (Array.isArray(event)) {
    throw new MalformedEventError(400, '', `expected one CloudEvent, got a batch of ${event.length}`);
  }
  return event;
}

function toEvent(headers: HttpMessage['headers'], body: string): CloudEvent<unknown> | CloudEvent<unknown>[] {
  try {
    return HTTP.toEvent({ headers: { ...headers } as Headers, body }) as CloudEvent<unknown>;
  } catch (error) {
    // Whatever the library throws, a TypeError for a body of `null` among it, it is because of the message.
    const what =
      error instanceof SyntaxError
        ? `the body is not JSON: ${error.message}`
        : 'expected a CloudEvent, in ce- headers or with content type application/cloudevents+json';
    throw new MalformedEventError(400, '', what);
  }
}

/** The library takes bytes for binary data, even where the content type is JSON. */
function textOf(body: string | Uint8Array): string {
  if (typeof body === 'string') return body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedEventError(400, '', 'the body is not UTF-8');
  }
}
