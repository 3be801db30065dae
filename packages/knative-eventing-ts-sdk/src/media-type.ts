import { MalformedEventError } from './malformed-event-error.ts';

/** A Content-Type, or the CloudEvents attribute `datacontenttype`. */
export interface MediaType {
  /** Lower case, without parameters, e.g. `application/json`. */
  readonly name: string;
  readonly charset: string;
}

/** JSON pointers into the event: what an error is about that a text has, or its media type. */
export interface Origin {
  readonly text: string;
  readonly type: string;
}

export function mediaTypeOf(value: string): MediaType {
  const [name = '', ...parameters] = value.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  return { name: name.trim(), charset: charset ?? 'utf-8' };
}

/** JSON format for CloudEvents 1.0.2, section 3.1: which data is JSON. */
export function isJson({ name }: MediaType): boolean {
  return /\/(.+\+)?json$/.test(name);
}

function isText({ name }: MediaType): boolean {
  return /^text\/|[/+]xml$|^application\/(javascript|yaml|x-www-form-urlencoded)$/.test(name);
}

/**
 * What data of this type is: a value where it is JSON, a text where it is text, and otherwise bytes. A text stays a text,
 * and what is neither text nor bytes was parsed by somebody else. Data without a type is JSON, as in the JSON format.
 */
export function decodeData(data: unknown, datacontenttype: string | undefined, where = '/data'): unknown {
  const type = mediaTypeOf(datacontenttype ?? 'application/json');
  const origin = { text: where, type: '/datacontenttype' };
  if (!isJson(type)) return isText(type) ? textOf(data, type, origin) : data;
  const text = textOf(data, type, origin);
  if (text === null || text === '') return undefined;
  return typeof text === 'string' ? parseJson(text, where) : text;
}

/** Bytes as text; what is no bytes as it is. */
export function textOf(body: unknown, { charset }: MediaType, origin: Origin): unknown {
  if (!isBytes(body)) return body;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch (error) {
    if ((error as Error).name === 'RangeError') {
      throw new MalformedEventError(400, origin.type, `the charset ${charset} is not known`);
    }
    throw new MalformedEventError(400, origin.text, `the body is not ${charset.toUpperCase()}`);
  }
}

/** Of whichever realm: a test runner, or a worker, has a Uint8Array of its own. */
function isBytes(body: unknown): body is ArrayBuffer | Uint8Array {
  return ArrayBuffer.isView(body) || Object.prototype.toString.call(body) === '[object ArrayBuffer]';
}

export function parseJson(text: string, where: string): unknown {
  try {
    // A byte order mark, which RFC 8259 lets a reader pass over; TextDecoder takes it off bytes.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new MalformedEventError(400, where, `the body is not JSON: ${(error as Error).message}`);
  }
}
