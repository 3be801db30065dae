import { describe, expect, it } from '@jest/globals';
import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import {
  applied,
  eventOf,
  type HttpMessage,
  MalformedEventError,
  parsePingEvent,
  parseReferenceEvent,
  parseResourceEvent,
} from '../src/index.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'prod' } };
const REFERENCE = { apiVersion: 'v1', kind: 'Pod', name: 'web-01', namespace: 'prod' };
const SOURCE = 'https://10.96.0.1:443';
const SUBJECT = '/apis/v1/namespaces/prod/pods/web-01';

/** The two ways in which an event comes by HTTP. */
const MODES: readonly [string, (type: string, data: unknown) => HttpMessage][] = [
  [
    'binary',
    (type, data) => ({
      headers: {
        'CE-SpecVersion': '1.0',
        'ce-id': '1',
        'ce-source': SOURCE,
        'ce-type': type,
        'ce-subject': SUBJECT,
        'Content-Type': 'application/json; charset=utf-8',
      },
      body: JSON.stringify(data),
    }),
  ],
  [
    'structured',
    (type, data) => ({
      headers: { 'content-type': 'application/cloudevents+json' },
      body: Buffer.from(JSON.stringify({ specversion: '1.0', id: '1', source: SOURCE, type, subject: SUBJECT, data })),
    }),
  ],
];

describe.each(MODES)('an event in %s mode', (_, message) => {
  const common = { id: '1', source: SOURCE, subject: SUBJECT };

  it.each(['add', 'update', 'delete'])('of an ApiServerSource in Resource mode is read: %s', (action) => {
    const event = eventOf(message(`dev.knative.apiserver.resource.${action}`, POD));
    expect(parseResourceEvent(event)).toEqual({ ...common, action, object: POD });
  });

  it.each(['add', 'update', 'delete'])('of an ApiServerSource in Reference mode is read: %s', (action) => {
    const event = eventOf(message(`dev.knative.apiserver.ref.${action}`, REFERENCE));
    expect(parseReferenceEvent(event)).toEqual({ ...common, action, reference: REFERENCE });
  });

  it('about an object of the whole cluster has no namespace', () => {
    const event = eventOf(message('dev.knative.apiserver.ref.add', { ...REFERENCE, namespace: '' }));
    expect(parseReferenceEvent(event).reference.namespace).toBeUndefined();
  });

  it('of a PingSource is read', () => {
    const event = eventOf(message('dev.knative.sources.ping', { sweep: true }));
    expect(parsePingEvent(event)).toEqual({ id: '1', source: SOURCE, data: { sweep: true } });
  });

  it.each([
    ['resource', POD, parseReferenceEvent, 'ref', 'Reference'],
    ['ref', REFERENCE, parseResourceEvent, 'resource', 'Resource'],
  ] as const)('of the other mode is rejected with what to set: %s', (sent, data, parse, wanted, mode) => {
    const event = eventOf(message(`dev.knative.apiserver.${sent}.add`, data));
    expect(() => parse(event)).toThrow(
      new MalformedEventError(
        422,
        '/type',
        `expected dev.knative.apiserver.${wanted}.{add,update,delete}, got "dev.knative.apiserver.${sent}.add"; ` +
          `set "mode: ${mode}" on the ApiServerSource`,
      ),
    );
  });

  it.each([
    [{ ...REFERENCE, kind: undefined }, '/data/kind'],
    [{ ...REFERENCE, name: 7 }, '/data/name'],
    [{ ...REFERENCE, namespace: ['prod'] }, '/data/namespace'],
    ['pod', '/data'],
  ])('that refers to nothing is rejected with where: %j', (data, where) => {
    const event = eventOf(message('dev.knative.apiserver.ref.add', data));
    expect(() => parseReferenceEvent(event)).toThrow(expect.objectContaining({ statusCode: 422, where }));
  });
});

it.each<[string, HttpMessage, string]>([
  ['nothing', { headers: {}, body: '' }, 'expected a CloudEvent, in ce- headers'],
  [
    'plain JSON',
    { headers: { 'content-type': 'application/json' }, body: '{}' },
    'expected a CloudEvent, in ce- headers',
  ],
  [
    'half a structured event',
    { headers: { 'content-type': 'application/cloudevents+json' }, body: '{"specversion":' },
    'the body is not JSON',
  ],
  ['data that breaks off', { ...MODES[0]![1]('t', {}), body: '{"kind":' }, 'the body is not JSON'],
  ['bytes that are no text', { ...MODES[0]![1]('t', {}), body: Uint8Array.of(0xff, 0xfe) }, 'the body is not UTF-8'],
  [
    'an attribute of the wrong type',
    {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: '{"specversion":"1.0","id":7,"source":"/s","type":"t"}',
    },
    'expected a non-empty string, got a number',
  ],
  [
    'an attribute of no such name',
    {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: '{"specversion":"1.0","id":"1","source":"/s","type":"t","Traceparent":"x"}',
    },
    'is no attribute: its name must be lower-case letters and digits',
  ],
  [
    'a batch',
    {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([{ specversion: '1.0', id: '1', source: '/s', type: 't' }]),
    },
    'expected one CloudEvent, got a batch of 1',
  ],
])('what is no event is rejected with status 400: %s', (_, message, what) => {
  expect(() => eventOf(message)).toThrow(
    expect.objectContaining({ name: 'MalformedEventError', statusCode: 400, what: expect.stringContaining(what) }),
  );
});

describe('the media type', () => {
  const type = 'dev.knative.apiserver.resource.add';
  const [binary, structured] = MODES.map(([, message]) => message(type, POD)) as [HttpMessage, HttpMessage];
  const read = (message: HttpMessage, contentType: string | undefined) =>
    parseResourceEvent(eventOf({ ...message, headers: { ...message.headers, 'Content-Type': contentType } })).object;

  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=UTF-8',
    'application/json ; charset="utf-8"; profile=x',
    'text/json',
    'application/vnd.api+json',
    undefined,
  ])('of JSON may be written in any way: %s', (contentType) => {
    expect(read(binary, contentType)).toEqual(POD);
    expect(read({ ...binary, body: Buffer.from(String(binary.body)) }, contentType)).toEqual(POD);
  });

  it.each([
    'application/cloudevents+json; charset=utf-8',
    'application/cloudevents+json;charset=UTF-8',
    'Application/CloudEvents+JSON',
  ])('of an event in structured mode may be written in any way: %s', (contentType) => {
    const { 'content-type': _, ...headers } = structured.headers;
    expect(read({ ...structured, headers }, contentType)).toEqual(POD);
  });

  it.each<[string | undefined, Uint8Array, unknown]>([
    ['text/plain', Buffer.from('Zoë'), 'Zoë'],
    ['text/plain; charset=iso-8859-1', Uint8Array.of(0x5a, 0x6f, 0xeb), 'Zoë'],
    ['image/svg+xml', Buffer.from('<svg/>'), '<svg/>'],
    ['image/png', Uint8Array.of(0x89, 0x50), Uint8Array.of(0x89, 0x50)],
    ['application/octet-stream', Uint8Array.of(0x61), Uint8Array.of(0x61)],
    ['application/json', new Uint8Array(), undefined],
    [undefined, Buffer.from('7'), 7],
  ])('says what the data is, and not the data itself: %s', (contentType, bytes, data) => {
    const message = MODES[0]![1]('dev.knative.sources.ping', {});
    const headers = { ...message.headers, 'Content-Type': contentType };
    const read = parsePingEvent(eventOf({ headers, body: bytes })).data;
    expect(read instanceof Uint8Array ? [...read] : read).toEqual(data instanceof Uint8Array ? [...data] : data);
  });

  it.each<[string, HttpMessage['headers'], string]>([
    ['a body that is still compressed', { 'Content-Encoding': 'gzip' }, 'the body is encoded as "gzip"'],
    ['a charset that is none', { 'Content-Type': 'text/plain; charset=x' }, 'the charset x is not known'],
    [
      'another format of events',
      { 'Content-Type': 'application/cloudevents+avro' },
      'got application/cloudevents+avro',
    ],
    ['a header that comes twice', { 'ce-subject': ['a', 'b'] }, 'header ce-subject comes 2 times'],
  ])('is an error where it cannot be read: %s', (_, headers, what) => {
    const message = { headers: { ...binary.headers, ...headers }, body: Buffer.from('x') };
    expect(() => eventOf(message)).toThrow(
      expect.objectContaining({ statusCode: 400, what: expect.stringContaining(what) }),
    );
  });
});

describe('binary data of an event in structured mode', () => {
  const read = (event: object) =>
    eventOf({
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', ...event }),
    }).data;
  const data_base64 = Buffer.from('{"a":1}').toString('base64');

  it('is what its content type says', () => {
    expect(read({ datacontenttype: 'application/json', data_base64 })).toEqual({ a: 1 });
    expect(read({ datacontenttype: 'text/plain', data_base64 })).toBe('{"a":1}');
    expect(read({ datacontenttype: 'application/octet-stream', data_base64: '/w==' })).toEqual(Uint8Array.of(0xff));
  });

  it('is an error where it is no base64, or stands beside other data', () => {
    expect(() => read({ data_base64: '%' })).toThrow('/data_base64: expected base64, got "%"');
    expect(() => read({ data_base64: 7 })).toThrow('/data_base64: expected base64, got a number');
    expect(() => read({ data: 1, data_base64 })).toThrow('/data_base64: is there beside data');
  });
});

describe('an attribute', () => {
  const { headers, body } = MODES[0]![1]('dev.knative.sources.ping', {});
  const subjectOf = (subject: string) => eventOf({ headers: { ...headers, 'ce-subject': subject }, body }).subject;

  it.each([
    ['Euro%20%E2%82%AC', 'Euro €'],
    ['"Euro \\"%E2%82%AC\\""', 'Euro "€"'],
    ['100% %e2', '100% %e2'],
    ['%2541', '%41'],
  ])('is percent-decoded once in a header: %s', (sent, subject) => {
    expect(subjectOf(sent)).toBe(subject);
  });

  it.each(['id', 'source', 'type', 'specversion'])(
    'that every event has is not made up where it is missing: %s',
    (name) => {
      const event = { specversion: '1.0', id: '1', source: '/s', type: 't', [name]: undefined };
      const structured = { headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(event) };
      const { [name]: _, ...rest } = event;
      const binary = Object.fromEntries(Object.entries(rest).map(([key, value]) => [`ce-${key}`, value]));
      const missing = expect.objectContaining({ statusCode: 400, where: `/${name}` });
      expect(() => eventOf(structured)).toThrow(missing);
      expect(() => eventOf({ headers: binary, body: '' })).toThrow(missing);
    },
  );

  it('that is null is not there, and other values keep their type', () => {
    const event = { specversion: '1.0', id: '1', source: '/s', type: 't', none: null, count: 5, last: true };
    const read = eventOf({ headers: { 'content-type': 'application/cloudevents+json' }, body: event });
    expect(read).toMatchObject({ count: 5, last: true });
    expect(read).not.toHaveProperty('none');
  });
});

it('what an answer says of its event is read as it was meant, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      fc.pre(text.isWellFormed());
      const event = new CloudEvent({ id: text, source: '/s', type: 't', subject: text, data: { text } });
      const { headers, body } = applied(event);
      expect(Object.values(headers).join('')).toMatch(/^[\x20-\x7e]*$/);
      // As HTTP does it.
      const trimmed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
      expect(eventOf({ headers: trimmed, body })).toMatchObject({ id: text, subject: text, data: { text } });
    }),
  );
});

it.each(['[]', '"x"', 'null', '{}', '{"specversion":"1.0","id":{},"source":"/s","type":"t"}'])(
  'a structured event that is none is rejected with status 400: %s',
  (body) => {
    const read = () =>
      parseResourceEvent(eventOf({ headers: { 'content-type': 'application/cloudevents+json' }, body }));
    expect(read).toThrow(expect.objectContaining({ name: 'MalformedEventError', statusCode: 400 }));
  },
);

it('data that a framework has parsed already is taken as it is', () => {
  const [, binary] = MODES[0]!;
  const event = eventOf({ ...binary('dev.knative.apiserver.resource.add', {}), body: POD });
  expect(parseResourceEvent(event).object).toEqual(POD);
});

it('stays what it is where a runtime is made to read events by it', () => {
  const { toEvent } = HTTP;
  HTTP.toEvent = eventOf as unknown as typeof toEvent;
  try {
    const [, binary] = MODES[0]!;
    const event = eventOf(binary('dev.knative.sources.ping', {}));
    expect(parsePingEvent(event).id).toBe('1');
  } finally {
    HTTP.toEvent = toEvent;
  }
});
