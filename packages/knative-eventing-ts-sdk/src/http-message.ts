import { type CloudEvent, type Headers, HTTP, ValidationError } from 'cloudevents';
import { MalformedEventError } from './malformed-event-error.ts';

/** An HTTP request as it came in, e.g. Node's `IncomingMessage.headers` and the body that was read. */
export interface HttpMessage {
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A string, a Uint8Array, or what a framework has parsed of it. */
  readonly body: unknown;
}

/** As it is now: a runtime that reads events by `HTTP.toEvent` may be given `eventOf` in its place. */
const { toEvent } = HTTP;

/**
 * The CloudEvent of an HTTP request, in binary or structured mode; for whoever has no function runtime that does it.
 * The parsers of this package read it.
 *
 * @throws MalformedEventError with status 400 for what is no CloudEvent, or a batch of them, which Knative never sends.
 */
export function eventOf({ headers, body }: HttpMessage): CloudEvent<unknown> {
  const event = read({ headers: { ...headers } as Headers, body: textOf(body) });
  if (Array.isArray(event)) {
    throw new MalformedEventError(400, '', `expected one CloudEvent, got a batch of ${event.length}`);
  }
  return event;
}

function read(message: Parameters<typeof toEvent>[0]): CloudEvent<unknown> | CloudEvent<unknown>[] {
  try {
    const event = toEvent(message) as CloudEvent<unknown> | CloudEvent<unknown>[];
    if (!Array.isArray(event)) event.validate();
    return event;
  } catch (error) {
    throw malformed(error as Error);
  }
}

/** Whatever the library throws, a TypeError for a body of `null` among it, it is because of the message. */
function malformed(error: Error): MalformedEventError {
  if (error instanceof SyntaxError) {
    return new MalformedEventError(400, '', `the body is not JSON: ${error.message}`);
  }
  const [first] = (error instanceof ValidationError && error.errors) || [];
  if (typeof first === 'object') {
    return new MalformedEventError(400, first.instancePath, first.message ?? error.message);
  }
  const expected = 'expected a CloudEvent, in ce- headers or with content type application/cloudevents+json';
  return new MalformedEventError(400, '', `${expected}: ${error.message}`);
}

/** The library takes bytes for binary data, even where the content type is JSON. */
function textOf(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedEventError(400, '', 'the body is not UTF-8');
  }
}
