import { CloudEvent, ValidationError } from 'cloudevents';
import { isObject, nameOf, parseEnvelope } from './cloud-event.ts';
import { decodeHeader } from './header-value.ts';
import { MalformedEventError } from './malformed-event-error.ts';
import { decodeData, mediaTypeOf, parseJson, textOf } from './media-type.ts';

/** An HTTP request as it came in, e.g. Node's `IncomingMessage.headers` and the body that was read. */
export interface HttpMessage {
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A string, a Uint8Array, or what a framework has parsed of it. */
  readonly body: unknown;
}

/**
 * The CloudEvent of an HTTP request, in binary or structured mode; for whoever has no function runtime that does it.
 * The parsers of this package read it. It follows the specification (CloudEvents 1.0.2, HTTP protocol binding and JSON
 * format) where `HTTP.toEvent` of the CloudEvents SDK does not: media types in any case and with parameters, data by its
 * content type, percent-encoded attributes, and no id or version of its own for an event that has none.
 *
 * @throws MalformedEventError with status 400 for what is no CloudEvent, or a batch of them, which Knative never sends.
 */
export function eventOf({ headers, body }: HttpMessage): CloudEvent<unknown> {
  const fields = new Map(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const encoding = only(fields.get('content-encoding'), 'content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new MalformedEventError(400, '', `the body is encoded as ${nameOf(encoding)}, which is to be undone first`);
  }
  const contentType = only(fields.get('content-type'), 'content-type');
  const { name } = mediaTypeOf(contentType ?? '');
  if (!name.startsWith('application/cloudevents')) return made(binary(fields, contentType, body));
  if (name === 'application/cloudevents+json') return made(structured(body));
  const batch = name === 'application/cloudevents-batch+json' ? jsonOf(body) : undefined;
  const actual = Array.isArray(batch) ? `a batch of ${batch.length}` : name;
  throw new MalformedEventError(400, '', `expected one CloudEvent, got ${actual}`);
}

type Attributes = Readonly<Record<string, unknown>>;

/** HTTP protocol binding, section 3.1: attributes in headers, data in the body. */
function binary(fields: ReadonlyMap<string, HttpMessage['headers'][string]>, type: string | undefined, body: unknown) {
  const attributes = [...fields]
    .filter(([name, value]) => name.startsWith('ce-') && value !== undefined)
    .map(([name, value]) => [name.slice('ce-'.length), decodeHeader(only(value, name)!)] as const);
  if (attributes.length === 0) {
    const expected = 'expected a CloudEvent, in ce- headers or with content type application/cloudevents+json';
    throw new MalformedEventError(400, '', expected);
  }
  return { ...Object.fromEntries(attributes), datacontenttype: type, data: decodeData(body, type) };
}

/** JSON format, section 3: all in one object. An attribute that is null is not there. */
function structured(body: unknown): Attributes {
  const event = jsonOf(body);
  if (!isObject(event)) throw new MalformedEventError(400, '', `expected a CloudEvent, got ${nameOf(event)}`);
  const { data, data_base64: base64, ...rest } = event;
  const attributes = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (base64 === undefined) return { ...attributes, data };
  if (data !== undefined) throw new MalformedEventError(400, '/data_base64', 'is there beside data');
  const { datacontenttype } = attributes;
  return { ...attributes, data: decodeData(bytesOf(base64), datacontenttype as string | undefined) };
}

function jsonOf(body: unknown): unknown {
  const text = textOf(body);
  return typeof text === 'string' ? parseJson(text) : text;
}

function bytesOf(base64: unknown): Uint8Array {
  const bytes = Buffer.from(String(base64), 'base64');
  if (bytes.toString('base64') === base64) return new Uint8Array(bytes);
  throw new MalformedEventError(400, '/data_base64', `expected base64, got ${nameOf(base64)}`);
}

/** Node joins what comes twice, but not everybody does. */
function only(value: HttpMessage['headers'][string], name: string): string | undefined {
  if (typeof value === 'string' || value === undefined) return value;
  if (value.length === 1) return value[0];
  throw new MalformedEventError(400, '', `header ${name} comes ${value.length} times`);
}

function made(attributes: Attributes): CloudEvent<unknown> {
  parseEnvelope(attributes);
  const wrong = Object.keys(attributes).find((name) => !/^[a-z0-9]+$/.test(name));
  if (wrong !== undefined) {
    throw new MalformedEventError(400, `/${wrong}`, 'is no attribute: its name must be lower-case letters and digits');
  }
  try {
    return new CloudEvent(attributes);
  } catch (error) {
    const [first] = (error instanceof ValidationError && error.errors) || [];
    const { instancePath = '', message = (error as Error).message } = typeof first === 'object' ? first : {};
    throw new MalformedEventError(400, instancePath, message);
  }
}
