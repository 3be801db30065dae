import { describe, expect, it } from '@jest/globals';
import type { Delivery as Spec } from 'knative-eventing-ts-sdk';
import { mayRetry, parseDelivery } from '../../../lab/knative/delivery.ts';

const waits = (spec: Spec) => [0, 1, 2, 3].map((retry) => parseDelivery(spec).wait(retry));

describe('delivery of a Trigger', () => {
  it('doubles the wait from the first retry on when it is exponential', () => {
    expect(waits({ backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' })).toEqual([200, 400, 800, 1600]);
  });

  it('does not wait before the first retry when it is linear', () => {
    expect(waits({ backoffPolicy: 'linear', backoffDelay: 'PT1M' })).toEqual([0, 60_000, 120_000, 180_000]);
  });

  it.each<Spec>([{ backoffPolicy: 'exponential' }, { backoffDelay: 'PT1S' }])(
    'does not wait at all with only %j',
    (spec) => {
      expect(waits(spec)).toEqual([0, 0, 0, 0]);
    },
  );

  it('sends once when nothing is said', () => {
    expect(parseDelivery({})).toMatchObject({ retries: 0, timeout: undefined });
  });

  it('does not heed Retry-After unless there is a retryAfterMax', () => {
    const spec: Spec = { backoffPolicy: 'exponential', backoffDelay: 'PT1S' };
    const answer = { status: 503, retryAfter: '5' };
    expect(parseDelivery(spec).wait(0, answer)).toBe(1000);
    expect(parseDelivery({ ...spec, retryAfterMax: 'PT60S' }).wait(0, answer)).toBe(5000);
    expect(parseDelivery({ ...spec, retryAfterMax: 'PT3S' }).wait(0, answer)).toBe(3000);
    expect(parseDelivery({ ...spec, retryAfterMax: 'PT60S' }).wait(3, answer)).toBe(8000);
    expect(parseDelivery({ ...spec, retryAfterMax: 'PT60S' }).wait(0, { ...answer, status: 500 })).toBe(1000);
  });

  it('knows the statuses that are worth a retry', () => {
    const statuses = [200, 301, 400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 429, 500, 501, 502, 503, 504];
    expect(statuses.filter(mayRetry)).toEqual([404, 408, 409, 429, 500, 501, 502, 503, 504]);
  });
});
