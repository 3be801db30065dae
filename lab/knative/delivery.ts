import { millisecondsOf } from 'knative-eventing-ts-sdk';
import { fields, ManifestError } from './manifests.ts';

/** How a Trigger's events are delivered; durations in milliseconds. */
export interface Delivery {
  /** Attempts after the first one. */
  readonly retries: number;
  /** Wait before the given retry, 0 being the first one, after an answer that may hold a Retry-After. */
  wait(retry: number, answer?: { readonly status: number; readonly retryAfter: string | null }): number;
  /** For each attempt. */
  readonly timeout: number | undefined;
}

/**
 * Reads a Trigger's `delivery`. Without one an event is sent once. With only one of backoffPolicy and backoffDelay the
 * retries come at once, as in Knative.
 */
export function parseDelivery(value: unknown, where: string): Delivery {
  const spec = fields(value ?? {}, where, ['retry', 'backoffPolicy', 'backoffDelay', 'timeout', 'retryAfterMax']);
  const { retry: retries = 0, backoffPolicy: policy } = spec;
  if (!Number.isSafeInteger(retries) || (retries as number) < 0) {
    throw new ManifestError(`${where}.retry`, 'must be zero or a positive integer');
  }
  if (policy !== undefined && policy !== 'linear' && policy !== 'exponential') {
    throw new ManifestError(`${where}.backoffPolicy`, "must be 'linear' or 'exponential'");
  }
  const delay = duration(spec.backoffDelay, `${where}.backoffDelay`);
  const retryAfterMax = duration(spec.retryAfterMax, `${where}.retryAfterMax`);
  return {
    retries: retries as number,
    timeout: duration(spec.timeout, `${where}.timeout`),
    wait(retry, answer) {
      const backoff =
        policy === undefined || delay === undefined ? 0 : delay * (policy === 'linear' ? retry : 2 ** retry);
      if (retryAfterMax === undefined || (answer?.status !== 429 && answer?.status !== 503)) return backoff;
      return Math.max(backoff, Math.min(milliseconds(answer.retryAfter), retryAfterMax));
    },
  };
}

/** Whether the broker tries again after this status; every other one is final. */
export function mayRetry(status: number): boolean {
  return status >= 500 || [404, 408, 409, 429].includes(status);
}

function duration(value: unknown, where: string): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = typeof value === 'string' ? millisecondsOf(value) : undefined;
  if (milliseconds === undefined) {
    throw new ManifestError(where, `must be an ISO 8601 duration such as PT0.2S, is ${JSON.stringify(value)}`);
  }
  return milliseconds;
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function milliseconds(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}
