import { millisecondsOf, type Delivery as Spec } from 'knative-eventing-ts-sdk';

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
export function parseDelivery({ retry: retries = 0, backoffPolicy: policy, ...durations }: Spec): Delivery {
  const [delay, timeout, retryAfterMax] = [durations.backoffDelay, durations.timeout, durations.retryAfterMax].map(
    (duration) => (duration === undefined ? undefined : millisecondsOf(duration)),
  );
  return {
    retries,
    timeout,
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

/** RFC 9110, section 10.2.3: seconds, or a date. */
function milliseconds(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}
