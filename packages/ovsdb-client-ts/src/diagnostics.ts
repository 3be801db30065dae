import { channel, tracingChannel } from 'node:diagnostics_channel';

const channels = { session: channel('ovsdb-client-ts:session') };
const requests = tracingChannel<object>('ovsdb-client-ts:request');

/**
 * What a client has counted since it was made.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * await client.echo(['x']);
 * const { connections, failedAttempts }: ClientCounters = client.counters;
 * [connections, failedAttempts]; // => [1, 0]
 * ```
 */
export interface ClientCounters {
  /** Number of times that a server came into use. */
  readonly connections: number;
  /** Number of attempts to reach a server, or to use it, that failed. */
  readonly failedAttempts: number;
  /** Number of requests that were sent, those by which a client asks a server about itself included. */
  readonly requests: number;
  /** Number of replies to them that came in time, errors included. */
  readonly replies: number;
  /** Number of notifications: updates of monitors, and news of locks. */
  readonly notifications: number;
  /** Number of bytes. */
  readonly bytesSent: number;
  /** Number of bytes. */
  readonly bytesReceived: number;
}

export type Counters = { -readonly [Name in keyof ClientCounters]: ClientCounters[Name] };

export function newCounters(): Counters {
  return {
    connections: 0,
    failedAttempts: 0,
    requests: 0,
    replies: 0,
    notifications: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
}

/** Publishes on `node:diagnostics_channel`. */
export function publish(name: keyof typeof channels, message: object): void {
  channels[name].publish(message);
}

/** Publishes start, end and error of a request, the wait for a server included; costs nothing while nobody listens. */
export async function traceRequest<T>(about: { method: string; database: string }, run: () => Promise<T>): Promise<T> {
  return requests.hasSubscribers ? await requests.tracePromise(run, about) : await run();
}
