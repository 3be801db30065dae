import { MalformedEventError } from './malformed-event-error.ts';

/** A Content-Type, or the CloudEvents attribute `datacontenttype`. */
export interface MediaType {
  /** Lower case, without parameters, e.g. `application/json`. */
  readonly name: string;
  readonly charset: string;
}

const UTF_8 = 'utf-8';

export function mediaTypeOf(value: string): MediaType {
  const [name = '', ...parameters] = value.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  return { name: name.trim(), charset: charset ?? UTF_8 };
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
export function decodeData(data: unknown, datacontenttype: string | undefined): unknown {
  const type = mediaTypeOf(datacontenttype ?? 'application/json');
  if (!isJson(type)) return isText(type) ? textOf(data, type.charset) : data;
  const text = textOf(data, type.charset);
  if (text === null || text === '') return undefined;
  return typeof text === 'string' ? parseJson(text) : text;
}

/** Bytes as text; what is no bytes as it is. */
export function textOf(body: unknown, charset = UTF_8): unknown {
  if (!(body instanceof Uint8Array)) return body;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch (error) {
    const isUnknown = (error as Error).name === 'RangeError';
    const what = isUnknown ? `the charset ${charset} is not known` : `the body is not ${charset.toUpperCase()}`;
    throw new MalformedEventError(400, '', what);
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedEventError(400, '', `the body is not JSON: ${(error as Error).message}`);
  }
}
