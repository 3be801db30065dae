import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudEvent, HTTP } from 'cloudevents';
import { parseManifest, type Reference } from 'knative-eventing-ts-sdk';
import { parse as parseYaml } from 'yaml';
import { type Destination, Dispatcher } from './dispatcher.ts';
import { bodyOf, type Listening, listen } from './http.ts';
import type { Journal } from './journal.ts';
import { type Manifest, ManifestError, nameOf, ofKind, requireAbsent } from './manifests.ts';
import { postEvent } from './post-event.ts';
import { parseTrigger, type ServiceReference } from './trigger.ts';

const API = 'eventing.knative.dev/v1';
const ASYNC = 'messaging.knative.dev/async-handler';
/** How often an event may come back as a reply to a reply; the extension is gone when a function sees the event. */
const TTL = 'knativebrokerttl';
const FIRST_TTL = 255;

export interface BrokerOptions {
  /** Brokers and Triggers are taken from among them. */
  readonly manifests: readonly Manifest[];
  /** The URL of a Trigger's subscriber; a Trigger whose subscriber is undefined gets no events. */
  readonly resolve: (subscriber: ServiceReference) => string | undefined;
  /** Milliseconds between an event's arrival and its first delivery; 0 by default. */
  readonly delay?: number;
  readonly journal: Journal;
}

/**
 * The stand-in for Knative's default broker, with its ingress at `/<namespace>/<broker>`. Events are in memory, and
 * the ingress answers before they are delivered.
 */
export class Broker {
  readonly #brokers: ReadonlySet<string>;
  readonly #dispatchers: readonly Dispatcher[];
  readonly #delay: number;
  readonly #journal: Journal;
  readonly #stop = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  #listening: Listening | undefined;

  /** @throws ManifestError for a Broker or a Trigger that says what this broker cannot do. */
  constructor({ manifests, resolve, delay = 0, journal }: BrokerOptions) {
    this.#brokers = new Set(ofKind(manifests, API, 'Broker').map((broker) => parseBroker(broker, manifests)));
    const destination = (service: ServiceReference | undefined): Destination | undefined => {
      if (service === undefined) return undefined;
      const url = resolve(service);
      return url === undefined ? undefined : { name: service.name, url };
    };
    this.#delay = delay;
    this.#journal = journal;
    this.#dispatchers = ofKind(manifests, API, 'Trigger').flatMap((manifest) => {
      const trigger = parseTrigger(manifest);
      if (!this.#brokers.has(pathOf(trigger.namespace, trigger.broker))) {
        throw new ManifestError(`${nameOf(manifest)}: spec.broker`, `there is no Broker '${trigger.broker}'`);
      }
      const subscriber = destination(trigger.subscriber);
      const deadLetterSink = destination(trigger.deadLetterSink);
      if (subscriber === undefined) return [];
      return [new Dispatcher(trigger, { subscriber, deadLetterSink }, journal, this.#stop.signal)];
    });
  }

  /** @param port of the ingress; 0, the default, takes a free one. */
  async start(port = 0): Promise<void> {
    this.#listening = await listen((request, response) => void this.#receive(request, response), port);
  }

  urlOf(namespace: string, name: string): string {
    if (!this.#listening) throw new Error('The broker has not been started.');
    return this.#listening.url + pathOf(namespace, name);
  }

  /** Drops what has not been delivered yet. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#listening?.close();
    await Promise.all(this.#deliveries);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.statusCode = await this.#accept(request).catch((error: unknown) => {
      // A sender that went away in the middle is no error of ours.
      return request.complete ? Promise.reject(error) : 400;
    });
    response.setHeader('allow', 'POST, OPTIONS');
    response.end();
  }

  async #accept(request: IncomingMessage): Promise<number> {
    if (request.method === 'OPTIONS') return 200;
    if (request.method !== 'POST') return 405;
    const path = request.url ?? '/';
    if (!this.#brokers.has(path)) return 404;
    const event = eventOf(request, await bodyOf(request));
    if (!event) return 400;
    const ttl = event[TTL] === undefined ? FIRST_TTL : Number(event[TTL]) - 1;
    if (!(ttl > 0)) {
      this.#journal({ kind: 'dropped', eventId: event.id, type: event.type, body: 'replied to replies too often' });
      return 400;
    }
    this.#publish(path, event, ttl);
    return 202;
  }

  #publish(path: string, received: CloudEvent<unknown>, ttl: number): void {
    const event = received.cloneWith({ [TTL]: undefined, knativearrivaltime: new Date().toISOString() }, false);
    const { id: eventId, type, subject } = event;
    this.#journal({ kind: 'event', eventId, type, subject });
    const attributes = attributesOf(event);
    for (const dispatcher of this.#dispatchers) {
      const { trigger } = dispatcher;
      if (pathOf(trigger.namespace, trigger.broker) !== path || !trigger.wants(attributes)) continue;
      const delivery = this.#deliver(dispatcher, event, ttl).catch((error: unknown) => {
        if (!this.#stop.signal.aborted) throw error;
      });
      this.#deliveries.add(delivery);
      void delivery.finally(() => this.#deliveries.delete(delivery));
    }
  }

  /** A reply goes back to where its event came in. */
  async #deliver(dispatcher: Dispatcher, event: CloudEvent<unknown>, ttl: number): Promise<void> {
    // Each event is late by itself, so that a row of events is late once and not each after another.
    if (this.#delay > 0) await sleep(this.#delay, undefined, { signal: this.#stop.signal });
    const reply = await dispatcher.deliver(event);
    if (!reply) return;
    const { trigger } = dispatcher;
    const { status } = await postEvent(this.urlOf(trigger.namespace, trigger.broker), reply.cloneWith({ [TTL]: ttl }), {
      signal: this.#stop.signal,
    });
    const { id: eventId, type, subject } = reply;
    this.#journal({
      kind: 'reply',
      function: trigger.subscriber.name,
      trigger: trigger.name,
      eventId,
      type,
      subject,
      status,
    });
  }
}

function pathOf(namespace: string, broker: string): string {
  return `/${namespace}/${broker}`;
}

/** @param manifests - Those among which the ConfigMap is that says which channel holds the events. */
function parseBroker(manifest: Manifest, manifests: readonly Manifest[]): string {
  const { metadata, spec = {} } = parseManifest('Broker', manifest);
  const where = nameOf(manifest);
  if (metadata.annotations?.[ASYNC] !== 'true') {
    throw new ManifestError(
      where,
      `this broker answers before it delivers; the annotation ${ASYNC}: "true" is missing`,
    );
  }
  requireAbsent(spec, `${where}: spec`, ['delivery']);
  if (spec.config !== undefined) requireInMemoryChannel(spec.config, `${where}: spec.config`, manifests);
  return pathOf(metadata.namespace ?? 'default', metadata.name ?? '');
}

function requireInMemoryChannel({ kind, name, namespace }: Reference, where: string, manifests: readonly Manifest[]) {
  const found = ofKind(manifests, 'v1', 'ConfigMap').find(
    ({ metadata }) => kind === 'ConfigMap' && metadata.name === name && metadata.namespace === namespace,
  );
  const channel = parseYaml(found?.data?.['channel-template-spec'] ?? '')?.kind;
  if (channel !== 'InMemoryChannel') throw new ManifestError(where, 'must name a ConfigMap for an InMemoryChannel');
}

function eventOf(request: IncomingMessage, body: string): CloudEvent<unknown> | undefined {
  try {
    const event = HTTP.toEvent<unknown>({ headers: request.headers, body });
    if (!(event instanceof CloudEvent)) return undefined;
    event.validate();
    return event;
  } catch {
    return undefined;
  }
}

function attributesOf(event: CloudEvent<unknown>): Record<string, string> {
  const { data, data_base64, ...attributes } = event.toJSON();
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );
}
