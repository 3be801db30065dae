import { expect, it } from '@jest/globals';
import {
  eventOf,
  type HttpMessage,
  MalformedEventError,
  parsePingEvent,
  parseReferenceEvent,
  parseResourceEvent,
} from '../src/index.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'prod' } };
const EVENT = {
  specversion: '1.0',
  id: '1',
  source: 'https://10.96.0.1:443',
  type: 'dev.knative.apiserver.resource.update',
  data: POD,
};
const HEADERS = {
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': EVENT.source,
  'ce-type': EVENT.type,
  'content-type': 'application/json',
};

const binary = (headers: Record<string, string | readonly string[] | undefined>, body: unknown = JSON.stringify(POD)) =>
  ({ headers: { ...HEADERS, ...headers }, body }) satisfies HttpMessage;

const structured = (change: object | string, type = 'application/cloudevents+json'): HttpMessage => ({
  headers: { 'content-type': type },
  body: typeof change === 'string' ? change : JSON.stringify({ ...EVENT, ...change }),
});

const read = (message: HttpMessage) => parseResourceEvent(eventOf(message));
const reference = (data: unknown) =>
  parseReferenceEvent(eventOf(structured({ type: 'dev.knative.apiserver.ref.add', data })));

const BATCH = 'application/cloudevents-batch+json';

/** What is wrong, how it is read, the JSON pointer to it, and the status to answer with: 400 is no event, 422 another one. */
const REJECTED: readonly (readonly [string, () => unknown, string, 400 | 422, string])[] = [
  ['neither ce- headers nor a CloudEvent', () => read({ headers: {}, body: '{}' }), '', 400, 'in ce- headers'],
  ['plain JSON', () => read({ headers: { 'content-type': 'application/json' }, body: '{}' }), '', 400, 'ce- headers'],
  ['no event at all', () => parseResourceEvent(undefined), '', 400, 'expected a CloudEvent, got nothing'],
  ['a list for an event', () => read(structured('[]')), '', 400, 'got an array'],
  ['half an event', () => read(structured('{"specversion":')), '', 400, 'the body is not JSON'],
  ['an event that is null', () => read(structured('null')), '', 400, 'got null'],
  ['a format that is not JSON', () => read(structured('', 'application/cloudevents+avro')), '', 400, 'got application'],
  ['an empty batch', () => read(structured('[]', BATCH)), '', 400, 'a batch of 0'],
  ['a batch of two', () => read(structured(JSON.stringify([EVENT, EVENT]), BATCH)), '', 400, 'a batch of 2'],
  ['a batch that is none', () => read(structured({}, BATCH)), '', 400, 'expected one CloudEvent'],
  ['a compressed body', () => read(binary({ 'content-encoding': 'gzip' })), '', 400, 'is encoded as "gzip"'],
  ['no id', () => read(binary({ 'ce-id': undefined })), '/id', 400, 'got nothing'],
  ['an empty id', () => read(structured({ id: '' })), '/id', 400, 'got ""'],
  ['an id that is a number', () => read(structured({ id: 7 })), '/id', 400, 'got a number'],
  ['an id that comes twice', () => read(binary({ 'ce-id': ['1', '2'] })), '/id', 400, 'header ce-id comes 2 times'],
  ['an id in two cases', () => read(binary({ 'CE-ID': '2' })), '/id', 400, 'header ce-id comes 2 times'],
  ['no source', () => read(structured({ source: undefined })), '/source', 400, 'got nothing'],
  ['a source that is no URI', () => read(binary({ 'ce-source': 'not a uri' })), '/source', 400, 'uri-reference'],
  ['no type', () => read(binary({ 'ce-type': undefined })), '/type', 400, 'got nothing'],
  ['no version', () => read(structured({ specversion: null })), '/specversion', 400, 'expected "1.0", got nothing'],
  ['an older version', () => read(binary({ 'ce-specversion': '0.3' })), '/specversion', 400, 'got "0.3"'],
  ['a version that is a number', () => read(structured({ specversion: 1.0 })), '/specversion', 400, 'got a number'],
  ['a time that is none', () => read(binary({ 'ce-time': 'yesterday' })), '/time', 400, 'date-time'],
  ['an empty time', () => read(structured({ time: '' })), '/time', 400, 'expected a time'],
  ['a day that there is not', () => read(structured({ time: '2026-02-30T00:00:00Z' })), '/time', 400, 'date-time'],
  ['an empty subject', () => read(structured({ subject: '' })), '/subject', 400, 'fewer than 1'],
  ['a schema that is no URI', () => read(binary({ 'ce-dataschema': 'x y' })), '/dataschema', 400, 'format "uri"'],
  ['a content type of no text', () => read(structured({ datacontenttype: 7 })), '/datacontenttype', 400, 'string'],
  [
    'a content type of no text beside base64',
    () => read(structured({ datacontenttype: 7, data: undefined, data_base64: 'e30=' })),
    '/datacontenttype',
    400,
    'must be string',
  ],
  [
    'a charset that nobody knows',
    () => read(binary({ 'content-type': 'application/json; charset=x' }, Buffer.from('{}'))),
    '/datacontenttype',
    400,
    'the charset x is not known',
  ],
  ['a name in upper case', () => read(structured({ Traceparent: 'x' })), '/Traceparent', 400, 'is no attribute'],
  ['a name with a slash', () => read(structured({ 'a/b~c': 'x' })), '/a~1b~0c', 400, 'is no attribute'],
  ['an extension of two values', () => read(structured({ hops: [1, 2] })), '/hops', 400, 'got an array'],
  ['an extension that is a fraction', () => read(structured({ hops: 1.5 })), '/hops', 400, 'got 1.5'],
  ['an extension that is too large', () => read(structured({ hops: 2 ** 31 })), '/hops', 400, 'got 2147483648'],
  ['data that breaks off', () => read(binary({}, '{"kind":')), '/data', 400, 'the body is not JSON'],
  ['bytes that are no text', () => read(binary({}, Uint8Array.of(0x7b, 0xff))), '/data', 400, 'not UTF-8'],
  [
    'what is no base64',
    () => read(structured({ data: undefined, data_base64: '%' })),
    '/data_base64',
    400,
    'expected base64, got "%"',
  ],
  [
    'base64 of what is no JSON',
    () => read(structured({ data: undefined, data_base64: 'eyI=' })),
    '/data_base64',
    400,
    'is not JSON',
  ],
  ['data twice', () => read(structured({ data_base64: 'e30=' })), '/data_base64', 400, 'beside data'],
  ['another type', () => read(binary({ 'ce-type': 'com.example.order' })), '/type', 422, 'got "com.example.order"'],
  [
    'the other mode',
    () => read(structured({ type: 'dev.knative.apiserver.ref.add' })),
    '/type',
    422,
    'set "mode: Resource" on the ApiServerSource',
  ],
  ['another type than a tick', () => parsePingEvent(eventOf(structured({}))), '/type', 422, 'dev.knative.sources.ping'],
  ['no data', () => read(binary({}, '')), '/data', 422, 'expected an object, got nothing'],
  ['data that is a list', () => read(structured({ data: [POD] })), '/data', 422, 'got an array'],
  ['an object without a kind', () => read(structured({ data: { ...POD, kind: '' } })), '/data/kind', 422, 'got ""'],
  ['an object without metadata', () => read(structured({ data: { ...POD, metadata: 7 } })), '/data/metadata', 422, ''],
  [
    'an object whose name is no text',
    () => read(structured({ data: { ...POD, metadata: { name: 7 } } })),
    '/data/metadata/name',
    422,
    'got a number',
  ],
  [
    'an object whose namespace is null',
    () => read(structured({ data: { ...POD, metadata: { name: 'x', namespace: null } } })),
    '/data/metadata/namespace',
    422,
    'got null',
  ],
  ['a reference without a name', () => reference({ apiVersion: 'v1', kind: 'Pod' }), '/data/name', 422, 'got nothing'],
];

it('has at least 40 cases', () => {
  expect(new Set(REJECTED.map(([name]) => name)).size).toBeGreaterThanOrEqual(40);
});

it.each(REJECTED)('is rejected with the pointer to what is wrong: %s', (_, attempt, where, statusCode, what) => {
  expect(attempt).toThrow(MalformedEventError);
  expect(attempt).toThrow(expect.objectContaining({ where, statusCode, what: expect.stringContaining(what) }));
});
