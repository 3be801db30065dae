import { describe, expect, it } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import { applied, nothingToDo, reject, tryAgain } from '../src/index.ts';

describe('answers', () => {
  it('cannot be changed once made', () => {
    expect(Object.isFrozen(nothingToDo())).toBe(true);
  });

  it('cuts a long reason to what Knative keeps of it', () => {
    const { body } = reject(400, '€'.repeat(5000));
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(1024);
    expect(body.endsWith('…')).toBe(true);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('will not ask to be retried after %d seconds', (seconds) => {
    expect(() => tryAgain('later', { retryAfterSeconds: seconds })).toThrow(RangeError);
  });

  it('does not end a delivery with a status that Knative would retry', () => {
    expect(() => reject(404 as 400, 'not found')).toThrow(RangeError);
  });

  it('has no content type where its event has no data', () => {
    const { headers, body } = applied(new CloudEvent({ type: 't', source: '/s' }));
    expect(headers).not.toHaveProperty('content-type');
    expect(body).toBe('');
  });

  it('keeps the content type of its event as it is', () => {
    const datacontenttype = 'text/plain; charset="utf-8"';
    const { headers, body } = applied(new CloudEvent({ type: 't', source: '/s', datacontenttype, data: 'so be it' }));
    expect(headers).toMatchObject({ 'content-type': datacontenttype });
    expect(body).toBe('so be it');
  });

  it('does not answer with an event that is not valid', () => {
    const event = new CloudEvent({ type: 't', source: '' }, false);
    expect(() => applied(event)).toThrow();
  });

  it('does not answer with binary data', () => {
    const event = new CloudEvent<unknown>({ type: 't', source: '/s', data: new Uint32Array([1]) });
    expect(() => applied(event)).toThrow(/binary/);
  });
});
