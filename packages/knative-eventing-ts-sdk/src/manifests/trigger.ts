import { at } from '../json-pointer.ts';
import { anything, type Check, mapOf, mapping, oneOf, required, text } from './check.ts';
import { type Delivery, delivery } from './delivery.ts';
import { DEPENDENCY, dependency, dependencyOf } from './dependency.ts';
import { type Destination, destination, type Reference, reference } from './destination.ts';
import { type Attributes, attributeName, type EventFilter, eventFilters, typeProblems } from './filters.ts';
import { dnsName, type Metadata, metadata } from './metadata.ts';

/**
 * Which of a broker's events go to whom.
 *
 * @see [Knative, Trigger](https://knative.dev/docs/eventing/triggers/)
 *
 * @example
 * ```ts
 * const trigger: Trigger = {
 *   apiVersion: 'eventing.knative.dev/v1',
 *   kind: 'Trigger',
 *   metadata: { name: 'ship', namespace: 'shop' },
 *   spec: { broker: 'orders', filters: [{ cesql: "kind = 'Pod'" }], subscriber: { uri: 'http://ship.shop' } },
 * };
 * checkManifest(trigger); // => []
 * ```
 */
export interface Trigger {
  readonly apiVersion: 'eventing.knative.dev/v1';
  readonly kind: 'Trigger';
  readonly metadata: Metadata;
  readonly spec: TriggerSpec;
  readonly status?: unknown;
}

/**
 * Which Broker's events go to whom, and how.
 *
 * @see [Knative, Trigger](https://knative.dev/docs/eventing/triggers/)
 *
 * @example
 * ```ts
 * const spec: TriggerSpec = {
 *   broker: 'orders',
 *   filters: [{ exact: { type: 'dev.knative.sources.ping' } }],
 *   subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'sweep' } },
 * };
 * ```
 */
export interface TriggerSpec {
  /** Name of a Broker in the same namespace. */
  readonly broker?: string;
  /** Instead of `broker`, with Knative's feature `cross-namespace-event-links`. */
  readonly brokerRef?: Reference;
  /** The older way; `filters` override it. */
  readonly filter?: { readonly attributes?: Attributes };
  readonly filters?: readonly EventFilter[];
  readonly subscriber: Destination;
  readonly delivery?: Delivery;
}

const spec: Check<TriggerSpec> = mapping<TriggerSpec>(
  {
    broker: dnsName,
    brokerRef: reference,
    filter: mapping<NonNullable<TriggerSpec['filter']>>(
      { attributes: mapOf(attributeName, text) },
      ({ attributes = {} }, where) => typeProblems(attributes, `${where}/attributes`),
    ),
    filters: eventFilters,
    subscriber: required(destination),
    delivery,
  },
  ({ broker, brokerRef, filter, filters }, where) => [
    broker === undefined && brokerRef === undefined && { where, what: 'must have broker' },
    broker !== undefined && brokerRef !== undefined && { where, what: 'must not have both broker and brokerRef' },
    filter !== undefined && filters !== undefined && { where: `${where}/filter`, what: 'has no effect beside filters' },
  ],
);

export const trigger: Check<Trigger> = mapping<Trigger>(
  {
    apiVersion: required(oneOf('eventing.knative.dev/v1')),
    kind: required(oneOf('Trigger')),
    metadata: required(
      metadata({
        'eventing.knative.dev/injection': oneOf('enabled', 'disabled'),
        [DEPENDENCY]: dependency,
        'kafka.eventing.knative.dev/delivery.order': oneOf('ordered', 'unordered'),
      }),
    ),
    spec: required(spec),
    status: anything,
  },
  ({ metadata: { namespace: own, annotations } }, where) => {
    const text = annotations?.[DEPENDENCY];
    const namespace = text === undefined ? undefined : dependencyOf(text).namespace;
    if (own === undefined || namespace === undefined || namespace === own) return [];
    const what = `names namespace ${namespace}; must be that of the Trigger, ${own}`;
    return [{ where: at(`${where}/metadata/annotations`, DEPENDENCY), what }];
  },
);
