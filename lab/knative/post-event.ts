import { type CloudEvent, HTTP } from 'cloudevents';
import { exchange } from './http.ts';

/** What came back for an event that was sent. */
export interface Answer {
  /** Undefined when nothing came back. */
  readonly status: number | undefined;
  readonly headers: Headers;
  /** The body, or why nothing came back. */
  readonly body: string;
}

/** Sends a CloudEvent in binary mode, once. Never throws, but for an abort by `signal`. */
export async function postEvent(
  url: string,
  event: CloudEvent<unknown>,
  options: { readonly headers?: Record<string, string>; readonly timeout?: number | undefined; signal: AbortSignal },
): Promise<Answer> {
  const { headers, body } = HTTP.binary(event) as { headers: Record<string, string>; body: string | undefined };
  // An event without data has no type of data either. The SDK says JSON of it, and a function rejects JSON that is empty.
  if (!body) delete headers['content-type'];
  const signals = [options.signal];
  if (options.timeout !== undefined) signals.push(AbortSignal.timeout(options.timeout));
  try {
    return await exchange(url, {
      method: 'POST',
      headers: { ...headers, ...options.headers },
      body: body ?? '',
      signal: AbortSignal.any(signals),
    });
  } catch (error) {
    options.signal.throwIfAborted();
    return { status: undefined, headers: new Headers(), body: (error as Error).message };
  }
}
