import type { CloudEvent } from 'cloudevents';
import { eventOf, type HttpMessage } from './http-message.ts';
import { MalformedEventError } from './malformed-event-error.ts';

/**
 * What the CloudEvents SDK reads HTTP requests with, its `HTTP`.
 *
 * @see [CloudEvents SDK for JavaScript](https://github.com/cloudevents/sdk-javascript#receiving-and-parsing-events)
 *
 * @example
 * ```ts
 * import { HTTP } from 'cloudevents';
 * const reader: EventReader = HTTP;
 * ```
 */
export interface EventReader {
  /** Whether a request is a CloudEvent. */
  isEvent(message: never): boolean;
  /** The CloudEvent that it is. */
  toEvent(message: never): unknown;
}

/**
 * Makes a function runtime that asks the CloudEvents SDK for its events, as faas-js-runtime does, read them by `eventOf`: else
 * it answers 400, which Knative does not try again, to a content type in capital letters and the like. What is no event for
 * `eventOf` comes to the function as any other request. The runtime and the caller must have the same copy of the SDK:
 * `"overrides": { "cloudevents": "$cloudevents" }` in package.json.
 *
 * @throws Nothing.
 * @see [CloudEvents 1.0.2, HTTP protocol binding](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md)
 *
 * @example
 * ```ts
 * import { HTTP } from 'cloudevents';
 * readEventsByEventOf(HTTP);
 * const body = '{"specversion":"1.0","id":"1","source":"/s","type":"com.example.order"}';
 * HTTP.isEvent({ headers: { 'content-type': 'Application/CloudEvents+JSON' }, body }); // => true
 * ```
 */
export function readEventsByEventOf(reader: EventReader): void {
  reader.isEvent = (message: HttpMessage) => {
    try {
      read(message);
      return true;
    } catch (error) {
      if (error instanceof MalformedEventError) return false;
      throw error;
    }
  };
  reader.toEvent = read;
}

/** A runtime parses JSON itself, after which a JSON text is a text that is no JSON. */
function read({ headers, body }: HttpMessage): CloudEvent<unknown> {
  try {
    return eventOf({ headers, body });
  } catch (error) {
    const isParsed = error instanceof MalformedEventError && error.where === '/data' && typeof body === 'string';
    if (!isParsed) throw error;
    return eventOf({ headers, body: JSON.stringify(body) });
  }
}
