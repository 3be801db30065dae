import { type Check, integer, mapping, oneOf } from './check.ts';
import { type Destination, destination } from './destination.ts';
import { duration } from './duration.ts';

/**
 * How events are delivered, tried again, and given up. Durations are ISO 8601, e.g. `PT0.2S`.
 *
 * @see [Knative, delivery of events](https://knative.dev/docs/eventing/event-delivery/)
 *
 * @example
 * ```ts
 * const delivery: Delivery = {
 *   retry: 5,
 *   backoffPolicy: 'exponential',
 *   backoffDelay: 'PT0.2S',
 *   deadLetterSink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'morgue' } },
 * };
 * ```
 */
export interface Delivery {
  /** Where events go that could not be delivered. */
  readonly deadLetterSink?: Destination;
  /** Attempts after the first one. */
  readonly retry?: number;
  readonly backoffPolicy?: 'linear' | 'exponential';
  readonly backoffDelay?: string;
  /** For each attempt. */
  readonly timeout?: string;
  /** How long a `Retry-After` is heeded at most; with Knative's feature `delivery-retryafter`. */
  readonly retryAfterMax?: string;
  readonly format?: 'json' | 'binary';
}

export const delivery: Check<Delivery> = mapping<Delivery>(
  {
    deadLetterSink: destination,
    retry: integer(0),
    backoffPolicy: oneOf('linear', 'exponential'),
    backoffDelay: duration(),
    timeout: duration({ least: 1 }),
    retryAfterMax: duration(),
    format: oneOf('json', 'binary'),
  },
  ({ retry, backoffPolicy, backoffDelay, retryAfterMax }, where) => {
    const missing = backoffPolicy === undefined ? 'backoffPolicy' : 'backoffDelay';
    const half = (backoffPolicy === undefined) !== (backoffDelay === undefined);
    const waits = [backoffPolicy, backoffDelay, retryAfterMax].some((wait) => wait !== undefined);
    return [
      half && { where, what: `must have ${missing} too: with one of the two, retries come at once` },
      waits && retry === undefined && { where, what: 'must have retry: without it an event is sent once' },
    ];
  },
);
