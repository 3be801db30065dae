import { channel } from 'node:diagnostics_channel';

const channels = { session: channel('ovsdb-client-ts:session') };

/** Publishes on `node:diagnostics_channel`. */
export function publish(name: keyof typeof channels, message: object): void {
  channels[name].publish(message);
}
