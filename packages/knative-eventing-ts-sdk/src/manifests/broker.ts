import { anything, type Check, filledText, mapping, oneOf, required } from './check.ts';
import { type Delivery, delivery } from './delivery.ts';
import { type Reference, reference } from './destination.ts';
import { type Metadata, metadata, TRUE_OR_FALSE } from './metadata.ts';

/**
 * Where events go and are chosen from.
 *
 * @see [Knative, Broker](https://knative.dev/docs/eventing/brokers/)
 *
 * @example
 * ```ts
 * const broker: Broker = {
 *   apiVersion: 'eventing.knative.dev/v1',
 *   kind: 'Broker',
 *   metadata: { name: 'orders', namespace: 'shop' },
 *   spec: { delivery: { retry: 5, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } },
 * };
 * checkManifest(broker); // => []
 * ```
 */
export interface Broker {
  readonly apiVersion: 'eventing.knative.dev/v1';
  readonly kind: 'Broker';
  readonly metadata: Metadata;
  readonly spec?: {
    /** A ConfigMap of the broker's class. */
    readonly config?: Reference;
    /** For the Triggers that have none of their own. */
    readonly delivery?: Delivery;
  };
  readonly status?: unknown;
}

export const broker: Check<Broker> = mapping<Broker>({
  apiVersion: required(oneOf('eventing.knative.dev/v1')),
  kind: required(oneOf('Broker')),
  metadata: required(
    metadata({
      'eventing.knative.dev/broker.class': filledText,
      'messaging.knative.dev/async-handler': TRUE_OR_FALSE,
      'kafka.eventing.knative.dev/external.topic': filledText,
    }),
  ),
  spec: mapping<NonNullable<Broker['spec']>>({ config: reference, delivery }),
  status: anything,
});
