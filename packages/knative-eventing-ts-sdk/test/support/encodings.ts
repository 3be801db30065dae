import { runInNewContext } from 'node:vm';
import { CloudEvent, HTTP } from 'cloudevents';
import { applied, type HttpMessage } from '../../src/index.ts';

/** An object with letters of one, two, three and four bytes, as a source sends it. */
export const OBJECT = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-01', namespace: 'prod', labels: { owner: 'Zoë €', mood: '🎉' } },
};

export const ATTRIBUTES = {
  specversion: '1.0',
  id: '5b3e7f6e "€"',
  source: 'https://10.96.0.1:443/a%20cluster',
  type: 'dev.knative.apiserver.resource.add',
  subject: '/apis/v1/namespaces/prod/pods/Zoë 🎉',
  time: '2026-11-30T12:00:00Z',
  dataschema: 'https://example.com/schema?of=pod',
  kind: 'Pod',
  knativearrivaltime: '2026-11-30T12:00:01Z',
};

const JSON_DATA = JSON.stringify(OBJECT);
const BYTES = Buffer.from(JSON_DATA);
const BASE64 = BYTES.toString('base64');
const ASCII_DATA = ascii(JSON_DATA);

/** Percent-encoded by the letter of the binding, the percent signs of URIs too. */
const HEADERS: Readonly<Record<string, string>> = {
  'ce-specversion': '1.0',
  'ce-id': '5b3e7f6e%20%22%E2%82%AC%22',
  'ce-source': 'https://10.96.0.1:443/a%2520cluster',
  'ce-type': ATTRIBUTES.type,
  'ce-subject': '/apis/v1/namespaces/prod/pods/Zo%C3%AB%20%F0%9F%8E%89',
  'ce-time': ATTRIBUTES.time,
  'ce-dataschema': ATTRIBUTES.dataschema,
  'ce-kind': 'Pod',
  'ce-knativearrivaltime': ATTRIBUTES.knativearrivaltime,
};

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function binary(headers: Record<string, string | readonly string[] | undefined>, body: unknown = JSON_DATA) {
  return { headers: { ...HEADERS, 'content-type': 'application/json', ...headers }, body };
}

const EVENT = { ...ATTRIBUTES, datacontenttype: 'application/json', data: OBJECT };
const { data: _, ...DATALESS } = EVENT;
const { datacontenttype: _type, ...UNTYPED } = DATALESS;

function structured(event: object | string | Uint8Array = EVENT, contentType = 'application/cloudevents+json') {
  const isDone = typeof event === 'string' || ArrayBuffer.isView(event);
  return { headers: { 'content-type': contentType }, body: isDone ? event : JSON.stringify(event) };
}

function batch(events: unknown = [EVENT], contentType = 'application/cloudevents-batch+json'): HttpMessage {
  return { headers: { 'content-type': contentType }, body: JSON.stringify(events) };
}

const upper = Object.fromEntries(Object.entries(HEADERS).map(([name, value]) => [name.toUpperCase(), value]));
const pairs = [...Object.entries(HEADERS), ['Content-Type', 'application/json']] as [string, string][];
const lists = Object.fromEntries(pairs.map(([name, value]) => [name, [value]]));
const everyByte = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const padded = Buffer.concat([Buffer.from('..'), BYTES]);
const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...BYTES] }) as Uint8Array;
const sdkEvent = new CloudEvent<unknown>(EVENT);
const answer = applied(sdkEvent);

/** One event in 60 ways in which it may come. */
export const ENCODINGS: readonly (readonly [string, HttpMessage])[] = [
  ['binary: a text', binary({})],
  ['binary: a Buffer', binary({}, BYTES)],
  ['binary: a part of a Buffer', binary({}, padded.subarray(2))],
  ['binary: a Uint8Array', binary({}, new Uint8Array(BYTES))],
  ['binary: a Uint8Array of another realm', binary({}, foreign)],
  ['binary: an ArrayBuffer', binary({}, new Uint8Array(BYTES).buffer)],
  ['binary: a DataView', binary({}, new DataView(new Uint8Array(BYTES).buffer))],
  ['binary: what a framework has parsed', binary({}, OBJECT)],
  ['binary: JSON in many lines', binary({}, JSON.stringify(OBJECT, null, 2))],
  ['binary: JSON in ASCII', binary({}, ASCII_DATA)],
  ['binary: a text with a byte order mark', binary({}, `\ufeff${JSON_DATA}`)],
  ['binary: bytes with a byte order mark', binary({}, Buffer.from(`\ufeff${JSON_DATA}`))],
  ['binary: no content type', binary({ 'content-type': undefined })],
  ['binary: a charset', binary({ 'content-type': 'application/json; charset=utf-8' }, BYTES)],
  ['binary: a charset in upper case', binary({ 'content-type': 'application/json;charset=UTF-8' }, BYTES)],
  ['binary: a charset in quotes', binary({ 'content-type': 'application/json ; charset="utf-8"' }, BYTES)],
  ['binary: a charset by another name', binary({ 'content-type': 'application/json; charset=utf8' }, BYTES)],
  [
    'binary: UTF-16',
    binary({ 'content-type': 'application/json; charset=utf-16le' }, Buffer.from(JSON_DATA, 'utf16le')),
  ],
  [
    'binary: Latin-1',
    binary({ 'content-type': 'application/json; charset=iso-8859-1' }, Buffer.from(ASCII_DATA, 'latin1')),
  ],
  ['binary: another parameter', binary({ 'content-type': 'application/json; profile="x"; charset=utf-8' })],
  ['binary: a content type in upper case', binary({ 'content-type': 'APPLICATION/JSON' })],
  ['binary: text/json', binary({ 'content-type': 'text/json' })],
  ['binary: JSON of a vendor', binary({ 'content-type': 'application/vnd.example.pod.v1+json' })],
  ['binary: JSON of a vendor, as bytes', binary({ 'content-type': 'application/merge-patch+JSON' }, BYTES)],
  ['binary: header names in upper case', { headers: { ...upper, 'CONTENT-TYPE': 'application/json' }, body: BYTES }],
  ['binary: the Headers of fetch', { headers: new Headers(pairs), body: BYTES }],
  ['binary: a list of headers', { headers: pairs, body: BYTES }],
  ['binary: a Map of headers', { headers: new Map(pairs), body: BYTES }],
  ['binary: lists of values', { headers: lists, body: BYTES }],
  ['binary: no body encoding', binary({ 'content-encoding': 'Identity' })],
  ['binary: headers of other matters', binary({ 'set-cookie': ['a', 'b'], 'kn-namespace': 'prod', host: 'x' })],
  ['binary: a header without a value', binary({ 'ce-traceparent': undefined })],
  ['binary: a content type that has no place among the attributes', binary({ 'ce-datacontenttype': 'text/plain' })],
  ['binary: spaces that are not encoded', binary({ 'ce-id': '5b3e7f6e %22%E2%82%AC%22' })],
  ['binary: an attribute in quotes, of older senders', binary({ 'ce-id': '"5b3e7f6e \\"%E2%82%AC\\""' })],
  ['binary: lower-case hex', binary({ 'ce-subject': '/apis/v1/namespaces/prod/pods/Zo%c3%ab %f0%9f%8e%89' })],
  ['binary: each byte encoded', binary({ 'ce-type': everyByte(ATTRIBUTES.type), 'ce-kind': '%50%6f%64' })],
  ['binary: a URI that is not encoded, as Go sends it', binary({ 'ce-source': ATTRIBUTES.source })],
  ['binary: the same time elsewhere', binary({ 'ce-time': '2026-11-30T13:00:00.000+01:00' })],
  ['binary: an answer of this package', { headers: answer.headers, body: answer.body }],
  ['structured: a text', structured()],
  ['structured: a Buffer', structured(Buffer.from(JSON.stringify(EVENT)))],
  ['structured: what a framework has parsed', { ...structured(), body: EVENT }],
  ['structured: JSON in many lines and another order', structured(JSON.stringify(EVENT, null, 2))],
  ['structured: JSON in ASCII', structured(ascii(JSON.stringify(EVENT)))],
  ['structured: a byte order mark', structured(`\ufeff${JSON.stringify(EVENT)}`)],
  ['structured: a charset', structured(EVENT, 'application/cloudevents+json; charset=utf-8')],
  ['structured: a charset in upper case', structured(EVENT, 'application/cloudevents+json;charset="UTF-8"')],
  ['structured: a content type in upper case', structured(EVENT, 'Application/CloudEvents+JSON')],
  [
    'structured: UTF-16',
    structured(Buffer.from(JSON.stringify(EVENT), 'utf16le'), 'application/cloudevents+json;charset=utf-16le'),
  ],
  ['structured: no type of the data', structured({ ...UNTYPED, data: OBJECT })],
  ['structured: an attribute and data that are null', structured({ ...EVENT, traceparent: null, data_base64: null })],
  ['structured: base64', structured({ ...DATALESS, data_base64: BASE64 })],
  ['structured: base64 without a type', structured({ ...UNTYPED, data_base64: BASE64 })],
  ['structured: base64 in lines', structured({ ...DATALESS, data_base64: BASE64.replace(/.{76}/g, '$&\r\n') })],
  ['structured: attributes as headers too', { ...structured(), headers: { ...structured().headers, 'ce-id': 'x' } }],
  ['structured: by the CloudEvents SDK', HTTP.structured(sdkEvent) as HttpMessage],
  ['batched: alone', batch()],
  [
    'batched: alone, in upper case and with a charset',
    batch([EVENT], 'Application/CloudEvents-Batch+JSON; charset=utf-8'),
  ],
  ['batched: alone, with base64', batch([{ ...DATALESS, data_base64: BASE64 }])],
];
