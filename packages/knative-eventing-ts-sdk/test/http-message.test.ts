import { describe, expect, it } from '@jest/globals';
import { HTTP } from 'cloudevents';
import {
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
  ] as const)('of the other mode is refused with what to set: %s', (sent, data, parse, wanted, mode) => {
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
  ])('that refers to nothing is refused with where: %j', (data, where) => {
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
    'must be string',
  ],
  [
    'an attribute of no such name',
    {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: '{"specversion":"1.0","id":"1","source":"/s","type":"t","Traceparent":"x"}',
    },
    'invalid attribute name: "Traceparent"',
  ],
  [
    'a batch',
    {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([{ specversion: '1.0', id: '1', source: '/s', type: 't' }]),
    },
    'expected one CloudEvent, got a batch of 1',
  ],
])('what is no event is refused with status 400: %s', (_, message, what) => {
  expect(() => eventOf(message)).toThrow(
    expect.objectContaining({ name: 'MalformedEventError', statusCode: 400, what: expect.stringContaining(what) }),
  );
});

it.each(['[]', '"x"', 'null', '{}', '{"specversion":"1.0","id":{},"source":"/s","type":"t"}'])(
  'a structured event that is none is refused with status 400: %s',
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
