import { afterEach, describe, expect, it } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import { Broker } from '../../../lab/knative/broker.ts';
import type { Entry } from '../../../lab/knative/journal.ts';
import type { Manifest } from '../../../lab/knative/manifests.ts';
import { postEvent } from '../../../lab/knative/post-event.ts';
import { type Answer, type Subscriber, startSubscriber } from './support/subscriber.ts';
import { until } from './support/until.ts';

const BROKER: Manifest = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'default', namespace: 'shop', annotations: { 'messaging.knative.dev/async-handler': 'true' } },
};

function trigger(name: string, spec: Record<string, unknown> = {}): Manifest {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name, namespace: 'shop' },
    spec: {
      broker: 'default',
      subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } },
      ...spec,
    },
  };
}

const event = (properties: Record<string, unknown> = {}) =>
  new CloudEvent<unknown>({ id: '1', type: 'order', source: '/test', data: { n: 1 }, ...properties });

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of started.splice(0)) await stop();
});

async function subscriber(answer: (event: CloudEvent<unknown>, count: number) => Answer | Promise<Answer>) {
  const subscriber = await startSubscriber(answer);
  started.push({ stop: subscriber.close });
  return subscriber;
}

async function broker(triggers: Manifest[], subscribers: Record<string, Subscriber | undefined>, delay = 0) {
  const journal: Entry[] = [];
  const broker = new Broker({
    manifests: [BROKER, ...triggers],
    resolve: ({ name }) => subscribers[name]?.url,
    delay,
    journal: (entry) => journal.push(entry),
  });
  await broker.start();
  started.push({ stop: () => broker.stop() });
  const send = (sent: CloudEvent<unknown>) =>
    postEvent(broker.urlOf('shop', 'default'), sent, { signal: AbortSignal.timeout(10_000) });
  return { broker, send, journal };
}

describe('the ingress', () => {
  it('answers 202 before anybody has taken the event', async () => {
    const release = Promise.withResolvers<Answer>();
    const slow = await subscriber(() => release.promise);
    const { send } = await broker([trigger('slow')], { slow });
    expect(await send(event())).toMatchObject({ status: 202, body: '' });
    await until('the event has come', () => slow.received.length === 1);
    release.resolve({ status: 204 });
  });

  it('delays a row of events once and not each after another', async () => {
    const late = await subscriber(() => ({ status: 204 }));
    const { send } = await broker([trigger('late')], { late }, 1_000);
    const began = performance.now();
    for (let id = 0; id < 8; id++) await send(event({ id: `${id}` }));
    const sent = performance.now();
    await until('all have come', () => late.received.length === 8);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    expect(performance.now() - sent).toBeLessThan(5_000);
  });

  it('rejects what is no CloudEvent, another method, and a broker that it does not know', async () => {
    const { broker: it } = await broker([], {});
    const url = it.urlOf('shop', 'default');
    const status = async (path: string, init: RequestInit) => (await fetch(path, init)).status;
    expect(await status(url, { method: 'POST', body: '{}' })).toBe(400);
    expect(
      await status(url, {
        method: 'POST',
        body: '[]',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      }),
    ).toBe(400);
    expect(await status(url, { method: 'GET' })).toBe(405);
    expect(await status(`${url}s`, { method: 'POST', body: '{}' })).toBe(404);
  });
});

describe('delivery', () => {
  it('brings an event to every trigger that wants it, with its arrival time and without the TTL', async () => {
    const a = await subscriber(() => ({ status: 204 }));
    const b = await subscriber(() => ({ status: 204 }));
    const { send } = await broker(
      [
        trigger('a', { filters: [{ exact: { region: 'eu' } }] }),
        trigger('b', { filter: { attributes: { type: 'order' } } }),
      ],
      { a, b },
    );
    await send(event({ id: '1' }));
    await send(event({ id: '2', region: 'eu' }));
    await until('both have come', () => a.received.length === 1 && b.received.length === 2);
    expect(a.received[0]?.event).toMatchObject({ id: '2', type: 'order', region: 'eu', data: { n: 1 } });
    expect(a.received[0]?.event).toHaveProperty('knativearrivaltime');
    expect(a.received[0]?.event).not.toHaveProperty('knativebrokerttl');
    expect(a.received[0]?.headers).toMatchObject({ prefer: 'reply', 'kn-namespace': 'shop' });
  });

  it('delivers events at the same time', async () => {
    const release = Promise.withResolvers<Answer>();
    const slow = await subscriber(() => release.promise);
    const { send } = await broker([trigger('slow')], { slow });
    await send(event({ id: '1' }));
    await send(event({ id: '2' }));
    await until('both are being delivered', () => slow.received.length === 2);
    release.resolve({ status: 204 });
  });

  it('leaves out a trigger whose subscriber is not there', async () => {
    const there = await subscriber(() => ({ status: 204 }));
    const { send, journal } = await broker([trigger('away'), trigger('there')], { there });
    await send(event());
    await until('the other one has it', () => journal.some(({ kind }) => kind === 'delivery'));
    expect(journal.map(({ kind, function: name }) => [kind, name])).toEqual([
      ['event', undefined],
      ['delivery', 'there'],
    ]);
  });

  it.each([
    [503, 3],
    [500, 3],
    [429, 3],
    [404, 3],
    [422, 1],
    [400, 1],
    [301, 1],
  ])('after an answer of %d tries %d times in all, then drops the event', async (status, attempts) => {
    const failing = await subscriber(() => ({ status, body: 'no' }));
    const delivery = { retry: 2, backoffPolicy: 'exponential', backoffDelay: 'PT0.01S' };
    const { send, journal } = await broker([trigger('failing', { delivery })], { failing });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    expect(failing.received).toHaveLength(attempts);
    expect(journal.at(-2)).toMatchObject({
      kind: 'delivery',
      function: 'failing',
      status,
      attempt: attempts,
      body: 'no',
    });
    expect(journal.at(-1)).toMatchObject({ kind: 'dropped', status, attempt: attempts, eventId: '1' });
  });

  it('ends with the first success', async () => {
    const second = await subscriber((_, count) => ({ status: count === 1 ? 503 : 204 }));
    const { send, journal } = await broker([trigger('second', { delivery: { retry: 5 } })], { second });
    await send(event());
    await until('it is taken', () => journal.length === 3);
    expect(journal.map(({ kind, status, attempt }) => [kind, status, attempt])).toEqual([
      ['event', undefined, undefined],
      ['delivery', 503, 1],
      ['delivery', 204, 2],
    ]);
  });

  it('takes no answer for a failure that is worth a retry', async () => {
    const gone = await startSubscriber(() => ({ status: 204 }));
    await gone.close();
    const { send, journal } = await broker([trigger('gone', { delivery: { retry: 1 } })], { gone });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    expect(journal.filter(({ kind }) => kind === 'delivery').map(({ status }) => status)).toEqual([500, 500]);
    expect(journal[1]?.body).toMatch(/ECONNREFUSED/);
  });

  it('gives up an attempt after the timeout', async () => {
    const release = Promise.withResolvers<Answer>();
    const hung = await subscriber(() => release.promise);
    const { send, journal } = await broker([trigger('hung', { delivery: { timeout: 'PT0.05S' } })], { hung });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    release.resolve({ status: 204 });
  });

  it('takes a success with a body that is no CloudEvent for a 502, and tries again', async () => {
    const chatty = await subscriber(() => ({ status: 200, body: 'OK' }));
    const { send, journal } = await broker([trigger('chatty', { delivery: { retry: 1 } })], { chatty });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    expect(journal.filter(({ kind }) => kind === 'delivery').map(({ status }) => status)).toEqual([502, 502]);
    expect(journal[1]?.body).toBe('answered 200 with a body that is no CloudEvent: OK');
  });

  it('brings what is given up to the dead letter sink, which says who gave it up, and takes no reply from there', async () => {
    const failing = await subscriber(() => ({ status: 422, body: 'no' }));
    const sink = await subscriber((_, count) => (count === 1 ? { status: 503 } : { status: 200, body: '' }));
    const { ref } = (trigger('sink').spec as { subscriber: { ref: unknown } }).subscriber;
    const { send, journal } = await broker([trigger('failing', { delivery: { retry: 1, deadLetterSink: { ref } } })], {
      failing,
      sink,
    });
    await send(event());
    await until('the sink has it', () => journal.length === 5);
    expect(journal.map(({ kind, function: name, status }) => [kind, name, status])).toEqual([
      ['event', undefined, undefined],
      ['delivery', 'failing', 422],
      ['deadLetter', 'failing', 422],
      ['delivery', 'sink', 503],
      ['delivery', 'sink', 200],
    ]);
    expect(sink.received[1]?.event).toMatchObject({
      id: '1',
      type: 'order',
      data: { n: 1 },
      knativeerrordest: failing.url,
      knativeerrorcode: '422',
      knativeerrordata: 'bm8=',
    });
  });

  it('drops what the dead letter sink does not take either', async () => {
    const failing = await subscriber(() => ({ status: 503 }));
    const delivery = {
      deadLetterSink: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'failing' } },
    };
    const { send, journal } = await broker([trigger('failing', { delivery })], { failing });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    expect(failing.received).toHaveLength(2);
  });

  it('drops what waits for a retry when it is stopped', async () => {
    const failing = await subscriber(() => ({ status: 503 }));
    const delivery = { retry: 1, backoffPolicy: 'exponential', backoffDelay: 'PT1H' };
    const { send, journal, broker: it } = await broker([trigger('failing', { delivery })], { failing });
    await send(event());
    await until('it failed once', () => journal.some(({ kind }) => kind === 'delivery'));
    await it.stop();
    started.pop();
    expect(failing.received).toHaveLength(1);
  });
});

describe('a reply', () => {
  const reply = (type: string, properties: Record<string, string> = {}): Answer => ({
    status: 200,
    headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/reply', 'ce-type': type, ...properties },
  });

  it('goes back into the broker', async () => {
    const first = await subscriber(() => reply('paid'));
    const second = await subscriber(() => ({ status: 204 }));
    const { send, journal } = await broker(
      [
        trigger('first', { filter: { attributes: { type: 'order' } } }),
        trigger('second', { filter: { attributes: { type: 'paid' } } }),
      ],
      { first, second },
    );
    await send(event());
    await until('it has come', () => second.received.length === 1 && journal.length === 5);
    expect(second.received[0]?.event).toMatchObject({ id: 'r', type: 'paid', source: '/reply' });
    expect(journal).toContainEqual(
      expect.objectContaining({ kind: 'reply', function: 'first', type: 'paid', status: 202 }),
    );
  });

  it('to a reply to a reply ends after 255 rounds', async () => {
    const echo = await subscriber(() => reply('order'));
    const { send, journal } = await broker([trigger('echo')], { echo });
    await send(event());
    await until('the last one is dropped', () => journal.some(({ kind }) => kind === 'dropped'), 30_000);
    expect(echo.received).toHaveLength(255);
    expect(journal.at(-1)).toMatchObject({ kind: 'reply', status: 400 });
  }, 40_000);

  it('that is a bad CloudEvent is a 502', async () => {
    const bad = await subscriber(() => reply(''));
    const { send, journal } = await broker([trigger('bad')], { bad });
    await send(event());
    await until('it is dropped', () => journal.some(({ kind }) => kind === 'dropped'));
    expect(journal.at(-1)).toMatchObject({ status: 502 });
  });
});

describe('manifests that this broker cannot serve', () => {
  const construct = (...manifests: Manifest[]) => {
    return () => new Broker({ manifests, resolve: () => undefined, journal: () => undefined });
  };

  it.each<[string, Manifest[], string]>([
    ['a synchronous broker', [{ ...BROKER, metadata: { name: 'default' } }], 'messaging.knative.dev/async-handler'],
    ['a trigger without its broker', [trigger('lost')], "Trigger shop/lost: spec.broker: there is no Broker 'default'"],
    [
      'another channel',
      [
        { ...BROKER, spec: { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' } } },
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'c' },
          data: { 'channel-template-spec': 'kind: KafkaChannel' },
        },
      ],
      'Broker shop/default: spec.config: must name a ConfigMap for an InMemoryChannel',
    ],
    [
      'a dead letter sink by URL',
      [BROKER, trigger('far', { delivery: { deadLetterSink: { uri: 'http://example.com' } } })],
      "Trigger shop/far: spec.delivery.deadLetterSink: 'uri' is not known here",
    ],
    ['an unknown field', [BROKER, trigger('odd', { retry: 3 })], 'Trigger shop/odd /spec/retry: is not known here'],
    [
      'a subscriber by URL',
      [BROKER, trigger('far', { subscriber: { uri: 'http://example.com' } })],
      "Trigger shop/far: spec.subscriber: 'uri' is not known here",
    ],
  ])('are rejected: %s', (_, manifests, message) => {
    expect(construct(...manifests)).toThrow(message);
  });
});
