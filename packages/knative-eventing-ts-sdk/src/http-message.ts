import { CloudEvent, ValidationError } from 'cloudevents';
import { isObject, nameOf, parseEnvelope } from './cloud-event.ts';
import { decodeHeader, decodeUriHeader } from './header-value.ts';
import { at } from './json-pointer.ts';
import { MalformedEventError } from './malformed-event-error.ts';
import { decodeData, type MediaType, mediaTypeOf, parseJson, textOf } from './media-type.ts';

/**
 * An HTTP request as it came in: that of Node's `http`, of fetch, or of a framework.
 *
 * @see [CloudEvents 1.0.2, HTTP protocol binding](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md)
 *
 * @example
 * ```ts
 * const message: HttpMessage = {
 *   headers: { 'content-type': 'application/cloudevents+json' },
 *   body: '{"specversion":"1.0","id":"1","source":"/s","type":"com.example.order"}',
 * };
 * eventOf(message).type; // => 'com.example.order'
 * ```
 */
export interface HttpMessage {
  /** Names in any case: Node's `IncomingMessage.headers`, the `Headers` of fetch, or a list of names and values. */
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | Iterable<readonly [string, string]>;
  /** A string, bytes (Buffer, Uint8Array, ArrayBuffer), or what a framework has parsed of it. */
  readonly body: unknown;
}

/**
 * The CloudEvent of an HTTP request, in binary or structured mode, or alone in a batch; for whoever has no function runtime
 * that does it. The parsers of this package read it. It follows the specification (CloudEvents 1.0.2, HTTP protocol binding
 * and JSON format) where `HTTP.toEvent` of the CloudEvents SDK does not: media types in any case and with parameters, data
 * by its content type, percent-encoded attributes, and neither id nor version nor time in the place of one that is wrong.
 * For an event without `time`, the class CloudEvent takes the time at which it is read.
 *
 * @throws MalformedEventError with status 400 for what is no CloudEvent, or several of them, which Knative never sends.
 * @see [CloudEvents 1.0.2, HTTP protocol binding](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md)
 *
 * @example
 * ```ts
 * const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'com.example.order' };
 * const event = eventOf({ headers: { ...headers, 'ce-subject': 'Euro%20%E2%82%AC' }, body: '{"total":7}' });
 * [event.subject, event.data]; // => ['Euro €', { total: 7 }]
 * ```
 */
export function eventOf({ headers, body }: HttpMessage): CloudEvent<unknown> {
  const fields = fieldsOf(headers ?? {});
  const encoding = only(fields, 'content-encoding', '') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new MalformedEventError(400, '', `the body is encoded as ${nameOf(encoding)}, which is to be undone first`);
  }
  const contentType = only(fields, 'content-type', '/datacontenttype');
  const type = mediaTypeOf(contentType ?? '');
  if (!type.name.startsWith('application/cloudevents')) return made(binary(fields, contentType, body));
  if (type.name === 'application/cloudevents+json') return made(structured(jsonOf(body, type)));
  const batch = type.name === 'application/cloudevents-batch+json' ? jsonOf(body, type) : undefined;
  if (Array.isArray(batch) && batch.length === 1) return made(structured(batch[0]));
  const actual = Array.isArray(batch) ? `a batch of ${batch.length}` : type.name;
  throw new MalformedEventError(400, '', `expected one CloudEvent, got ${actual}`);
}

type Attributes = Readonly<Record<string, unknown>>;
type Fields = ReadonlyMap<string, readonly string[]>;

function fieldsOf(headers: HttpMessage['headers']): Fields {
  const entries = Symbol.iterator in headers ? [...(headers as Iterable<[string, string]>)] : Object.entries(headers);
  const fields = new Map<string, string[]>();
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    fields.set(key, [...(fields.get(key) ?? []), ...(Array.isArray(value) ? value : [value]).map(String)]);
  }
  return fields;
}

/** Node joins what comes twice, but not everybody does. */
function only(fields: Fields, name: string, where: string): string | undefined {
  const values = fields.get(name);
  if (values === undefined || values.length === 1) return values?.[0];
  throw new MalformedEventError(400, where, `header ${name} comes ${values.length} times`);
}

const URIS = ['source', 'dataschema'];

/** HTTP protocol binding, section 3.1: attributes in headers, data in the body. */
function binary(fields: Fields, contentType: string | undefined, body: unknown): Attributes {
  const attributes = [...fields.keys()]
    .filter((name) => name.startsWith('ce-'))
    .map((header) => {
      const name = header.slice('ce-'.length);
      const value = only(fields, header, at('', name))!;
      return [name, URIS.includes(name) ? decodeUriHeader(value) : decodeHeader(value)] as const;
    });
  if (attributes.length === 0) {
    const expected = 'expected a CloudEvent, in ce- headers or with content type application/cloudevents+json';
    throw new MalformedEventError(400, '', expected);
  }
  return { ...Object.fromEntries(attributes), datacontenttype: contentType, data: decodeData(body, contentType) };
}

/** JSON format, section 3: all in one object. A member that is null is not there. */
function structured(event: unknown): Attributes {
  if (!isObject(event)) throw new MalformedEventError(400, '', `expected a CloudEvent, got ${nameOf(event)}`);
  const { data, data_base64: base64, ...rest } = event;
  const attributes = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (base64 === undefined || base64 === null) return { ...attributes, data };
  if (data !== undefined) throw new MalformedEventError(400, '/data_base64', 'is there beside data');
  const { datacontenttype } = attributes;
  const bytes = bytesOf(base64);
  // Of another type it is a problem that is told below.
  if (datacontenttype !== undefined && typeof datacontenttype !== 'string') return attributes;
  return { ...attributes, data: decodeData(bytes, datacontenttype, '/data_base64') };
}

function jsonOf(body: unknown, type: MediaType): unknown {
  const text = textOf(body, type, { text: '', type: '' });
  return typeof text === 'string' ? parseJson(text, '') : text;
}

/** RFC 4648, section 4; line breaks do no harm, as in Go. */
function bytesOf(base64: unknown): Uint8Array {
  const text = typeof base64 === 'string' ? base64.replace(/[\r\n]/g, '') : '';
  const bytes = Buffer.from(text, 'base64');
  if (typeof base64 === 'string' && bytes.toString('base64') === text) return new Uint8Array(bytes);
  throw new MalformedEventError(400, '/data_base64', `expected base64, got ${nameOf(base64)}`);
}

function made(attributes: Attributes): CloudEvent<unknown> {
  parseEnvelope(attributes);
  for (const [name, value] of Object.entries(attributes)) {
    const what = name === 'data' || value === undefined ? undefined : whyNoAttribute(name, value);
    if (what !== undefined) throw new MalformedEventError(400, at('', name), what);
  }
  try {
    return new CloudEvent(attributes);
  } catch (error) {
    const [first] = (error instanceof ValidationError && error.errors) || [];
    const { instancePath = '', message = (error as Error).message } = typeof first === 'object' ? first : {};
    throw new MalformedEventError(400, instancePath, message);
  }
}

/** CloudEvents 1.0.2, section 3: what the class CloudEvent lets pass, or puts something else in the place of. */
function whyNoAttribute(name: string, value: unknown): string | undefined {
  if (!/^[a-z0-9]+$/.test(name)) return 'is no attribute: its name must be lower-case letters and digits';
  if (name === 'time' && value === '') return 'expected a time such as 2026-11-30T12:00:00Z, got ""';
  const isInteger = typeof value === 'number' && (value | 0) === value;
  if (isInteger || typeof value === 'string' || typeof value === 'boolean') return undefined;
  return `expected a string, a boolean or an integer of 32 bits, got ${typeof value === 'number' ? value : nameOf(value)}`;
}
