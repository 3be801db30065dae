import { type CloudEvent, HTTP } from 'cloudevents';
import { encodeHeader } from './header-value.ts';
import { isJson, mediaTypeOf } from './media-type.ts';

declare const madeHere: unique symbol;

/**
 * What a function returns to Knative Eventing, in the shape that faas-js-runtime sends as it is. The type can only be
 * had from the makers below, because the broker takes a wrong answer for another one: a non-empty body that is no
 * CloudEvent turns a success into a 502 and a retry.
 *
 * @see [Knative, data plane](https://github.com/knative/specs/blob/main/specs/eventing/data-plane.md)
 *
 * @example
 * ```ts
 * const answer: Answer = nothingToDo();
 * answer.statusCode; // => 204
 * ```
 */
export interface Answer {
  readonly statusCode: 200 | 204 | 400 | 422 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly [madeHere]: true;
}

// Knative keeps no more than 1024 bytes of an error body for the dead letter sink; a UTF-16 unit takes up to 3.
const LONGEST_WHY = 340;

/**
 * Something was done: 200 with the CloudEvent that tells of it, in binary mode. The broker sends it on to whoever has a
 * Trigger for it.
 *
 * @throws TypeError for data that is bytes, since an answer carries text.
 * @throws ValidationError, of `cloudevents`, for an event that is not valid.
 * @see [Knative, data plane](https://github.com/knative/specs/blob/main/specs/eventing/data-plane.md)
 *
 * @example
 * ```ts
 * import { CloudEvent } from 'cloudevents';
 * const event = new CloudEvent({ type: 'com.example.shipped', source: '/ship', data: { order: 7 } });
 * const { statusCode, headers, body } = applied(event);
 * [statusCode, headers['ce-type'], body]; // => [200, 'com.example.shipped', '{"order":7}']
 * ```
 */
export function applied(event: CloudEvent<unknown>): Answer {
  event.validate();
  const attributes = Object.entries(HTTP.binary(event).headers).filter(([name]) => name !== 'content-type');
  const headers = Object.fromEntries(attributes.map(([name, value]) => [name, encodeHeader(value)]));
  const { data, datacontenttype = data === undefined ? undefined : JSON_TYPE } = event;
  return answer(200, { ...headers, ...(datacontenttype && { 'content-type': datacontenttype }) }, bodyOf(event));
}

/**
 * The event is stale, a duplicate, or not for this function: 204, which ends the delivery.
 *
 * @throws Nothing.
 * @see [Knative, data plane](https://github.com/knative/specs/blob/main/specs/eventing/data-plane.md)
 *
 * @example
 * ```ts
 * nothingToDo(); // => { statusCode: 204, headers: {}, body: '' }
 * ```
 */
export function nothingToDo(): Answer {
  return answer(204, {}, '');
}

/**
 * A transient failure: 503, which Knative retries by the Trigger's delivery.
 *
 * @param why - One line for whoever reads the log.
 * @param options.retryAfterSeconds - Sent as Retry-After, in whole seconds; Knative heeds it with `retryAfterMax` only.
 * @throws RangeError for less than no seconds.
 * @see [Knative, delivery of events](https://knative.dev/docs/eventing/event-delivery/)
 *
 * @example
 * ```ts
 * const { statusCode, headers, body } = tryAgain('the database is away', { retryAfterSeconds: 1.2 });
 * [statusCode, headers['retry-after'], body]; // => [503, '2', 'the database is away']
 * ```
 */
export function tryAgain(why: string, options: { readonly retryAfterSeconds: number }): Answer {
  const seconds = Math.ceil(options.retryAfterSeconds);
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new RangeError(`retryAfterSeconds must be zero or more seconds, got ${options.retryAfterSeconds}.`);
  }
  return answer(503, { ...PLAIN_TEXT, 'retry-after': String(seconds) }, oneLine(why));
}

/**
 * A permanent failure: 400 or 422, which Knative does not retry (it goes to the dead letter sink, if there is one).
 *
 * @throws RangeError for another status, which Knative might try again.
 * @see [Knative, delivery of events](https://knative.dev/docs/eventing/event-delivery/)
 *
 * @example
 * ```ts
 * const { statusCode, body } = reject(422, 'there is no order 7');
 * [statusCode, body]; // => [422, 'there is no order 7']
 * ```
 */
export function reject(status: 400 | 422, why: string): Answer {
  if (status !== 400 && status !== 422)
    throw new RangeError(`The status must be 400 or 422, which end it; got ${status}.`);
  return answer(status, PLAIN_TEXT, oneLine(why));
}

const JSON_TYPE = 'application/json; charset=utf-8';
const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8' };

function answer(statusCode: Answer['statusCode'], headers: Record<string, string>, body: string): Answer {
  return Object.freeze({ statusCode, headers, body }) as Answer;
}

function bodyOf(event: CloudEvent<unknown>): string {
  const { data, datacontenttype } = event;
  // An absent body would make the runtime send the whole answer as JSON.
  if (data === undefined) return '';
  if (ArrayBuffer.isView(data)) throw new TypeError(`The data of event ${event.id} is binary; an answer carries text.`);
  const holdsJson = datacontenttype === undefined || isJson(mediaTypeOf(datacontenttype));
  return typeof data === 'string' && !holdsJson ? data : JSON.stringify(data);
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > LONGEST_WHY ? `${line.slice(0, LONGEST_WHY - 1).toWellFormed()}…` : line;
}
