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
  readEventsByEventOf,
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

describe('the media type', () => {
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

  it.each([
    ['https://example.com/a%2520b', 'https://example.com/a%20b'],
    ['https://example.com/a%20b', 'https://example.com/a%20b'],
    ['https://example.com/%C3%BC', 'https://example.com/%C3%BC'],
    ['https://example.com/100%25', 'https://example.com/100%25'],
  ])('that is a URI stays one, whether its percent sign was encoded or not: %s', (sent, source) => {
    expect(eventOf({ headers: { ...headers, 'ce-source': sent }, body }).source).toBe(source);
  });

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

it('stays what it is where a runtime is made to read events by it', () => {
  const { isEvent, toEvent } = HTTP;
  readEventsByEventOf(HTTP);
  try {
    const [, binary] = MODES[0]!;
    const event = eventOf(binary('dev.knative.sources.ping', {}));
    expect(parsePingEvent(event).id).toBe('1');
  } finally {
    Object.assign(HTTP, { isEvent, toEvent });
  }
});
