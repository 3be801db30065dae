import { channel, tracingChannel } from 'node:diagnostics_channel';

const channels = { session: channel('ovsdb-client-ts:session') };
const requests = tracingChannel<object>('ovsdb-client-ts:request');

/** Publishes on `node:diagnostics_channel`. */
export function publish(name: keyof typeof channels, message: object): void {
  channels[name].publish(message);
}

/** Publishes start, end and error of a request, the wait for a server included; costs nothing while nobody listens. */
export async function traceRequest<T>(about: { method: string; database: string }, run: () => Promise<T>): Promise<T> {
  return requests.hasSubscribers ? await requests.tracePromise(run, about) : await run();
}
