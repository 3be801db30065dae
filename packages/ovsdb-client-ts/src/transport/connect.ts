import { readFile } from 'node:fs/promises';
import { connect as connectNet } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Endpoint } from './remote.ts';

/** Opens the byte stream to a server; rejects when it cannot or when the signal aborts. */
export type Connect = (endpoint: Endpoint, signal: AbortSignal) => Promise<Duplex>;

/** Files in PEM for `ssl:` remotes. They are read for every connection, so renewed certificates are taken up. */
export interface TlsFiles {
  cert: string;
  key: string;
  /** The authority that must have signed the server's certificate. */
  ca: string;
  /** The name that the server's certificate must have. Without it any name will do, as with OVSDB's own clients. */
  serverName?: string;
}

/** The streams of node:net and node:tls. */
export function connectSocket(tls: TlsFiles | undefined): Connect {
  return async (endpoint, signal) => {
    switch (endpoint.kind) {
      case 'unix':
        return await opened(connectNet({ path: endpoint.path }), 'connect', signal);
      case 'tcp':
        return await opened(connectNet({ host: endpoint.host, port: endpoint.port, noDelay: true }), 'connect', signal);
      case 'ssl':
        return await opened(connectTls(await readTlsOptions(endpoint, tls)), 'secureConnect', signal);
    }
  };
}

async function readTlsOptions(
  { host, port }: { host: string; port: number },
  tls: TlsFiles | undefined,
): Promise<ConnectionOptions & { noDelay: boolean }> {
  if (tls === undefined) throw new TypeError('an ssl: remote needs the option tls: { cert, key, ca }');
  const [cert, key, ca] = await Promise.all([readFile(tls.cert), readFile(tls.key), readFile(tls.ca)]);
  const name = tls.serverName === undefined ? { checkServerIdentity: () => undefined } : { servername: tls.serverName };
  return { host, port, cert, key, ca, noDelay: true, ...name };
}

function opened<T extends Duplex>(socket: T, event: string, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('the server closed the connection')));
    socket.once(event, () => {
      signal.removeEventListener('abort', onAbort);
      resolve(socket);
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
