import { once } from 'node:events';
import { connect as connectNet, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from './remote.ts';

/** Opens the byte stream to a server; rejects when it cannot or when the signal aborts. */
export type Connect = (endpoint: Endpoint, signal: AbortSignal) => Promise<Duplex>;

export const connectSocket: Connect = async (endpoint, signal) => {
  const socket = open(endpoint);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
};

function open(endpoint: Endpoint): Socket {
  switch (endpoint.kind) {
    case 'unix':
      return connectNet({ path: endpoint.path });
    case 'tcp':
      return connectNet({ host: endpoint.host, port: endpoint.port, noDelay: true });
    case 'ssl':
      throw new Error('ssl: remotes are not supported yet');
  }
}
