import { readFile } from 'node:fs/promises';
import { connect as connectNet, type NetConnectOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Endpoint } from './remote.ts';

const READ_BUFFER_SIZE = 65_536;

/**
 * Opens the byte stream to a server; rejects when it cannot or when the signal aborts. Its chunks may be overwritten
 * once their listeners have returned.
 *
 * @see [Node.js, class stream.Duplex](https://nodejs.org/api/stream.html#class-streamduplex)
 *
 * @example
 * ```ts
 * const direct = connectSocket(undefined);
 * let attempts = 0;
 * const connect: Connect = (endpoint, signal) => {
 *   attempts++;
 *   return direct(endpoint, signal);
 * };
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound', connect });
 * await client.echo([]);
 * attempts; // => 1
 * ```
 */
export type Connect = (endpoint: Endpoint, signal: AbortSignal) => Promise<Duplex>;

/**
 * For `ssl:` remotes, in PEM: a string is the path of a file, a Buffer is what would be in it. Files are read for every
 * connection, so renewed certificates are taken up.
 *
 * @see [ovsdb(7), "Active Connection Methods"](https://docs.openvswitch.org/en/latest/ref/ovsdb.7/)
 *
 * @example
 * ```ts
 * const pem = '-----BEGIN CERTIFICATE-----';
 * const fromMemory: TlsMaterial = { cert: Buffer.from(pem), key: Buffer.from(pem), ca: Buffer.from(pem) };
 * const fromFiles: TlsMaterial = { cert: 'client.pem', key: 'client-key.pem', ca: 'ca.pem', serverName: 'nb.ovn' };
 * ```
 */
export interface TlsMaterial {
  cert: string | Buffer;
  key: string | Buffer;
  /** The authority that must have signed the server's certificate. */
  ca: string | Buffer;
  /** The name that the server's certificate must have. Without it any name will do, as with OVSDB's own clients. */
  serverName?: string;
}

/**
 * The paths of files in PEM, and no Buffers.
 *
 * @see [ovsdb(7), "Active Connection Methods"](https://docs.openvswitch.org/en/latest/ref/ovsdb.7/)
 *
 * @example
 * ```ts
 * const files: TlsFiles = { cert: 'client.pem', key: 'client-key.pem', ca: 'ca.pem' };
 * const tls: TlsMaterial = files;
 * ```
 */
export interface TlsFiles extends TlsMaterial {
  cert: string;
  key: string;
  ca: string;
}

/**
 * The streams of node:net and node:tls.
 *
 * @throws Nothing. What it returns rejects with the error of the file or the socket, or TypeError for `ssl:` without TLS.
 * @see [Node.js, net.connect](https://nodejs.org/api/net.html#netconnect)
 *
 * @example
 * ```ts
 * const connect = connectSocket({ cert: 'client.pem', key: 'client-key.pem', ca: 'ca.pem' });
 * const endpoint: Endpoint = { kind: 'ssl', host: '127.0.0.1', port: 6641 };
 * const problem = await connect(endpoint, new AbortController().signal).catch((error: NodeJS.ErrnoException) => error);
 * 'code' in problem && problem.code; // => 'ENOENT'
 * ```
 */
export function connectSocket(tls: TlsMaterial | undefined): Connect {
  return async (endpoint, signal) => {
    switch (endpoint.kind) {
      case 'unix':
        return await opened(connectPlain({ path: endpoint.path }), 'connect', signal);
      case 'tcp':
        return await opened(
          connectPlain({ host: endpoint.host, port: endpoint.port, noDelay: true }),
          'connect',
          signal,
        );
      case 'ssl':
        return await opened(connectTls(await readTlsOptions(endpoint, tls)), 'secureConnect', signal);
    }
  };
}

/** Reads into one buffer, where Node would make one of 64 KiB for every answer: a tenth less time for a small one. */
function connectPlain(options: NetConnectOpts): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
  const callback = (length: number): boolean => {
    socket.emit('data', buffer.subarray(0, length));
    return true;
  };
  const socket = connectNet({ ...options, onread: { buffer, callback } });
  return socket;
}

async function readTlsOptions(
  { host, port }: { host: string; port: number },
  tls: TlsMaterial | undefined,
): Promise<ConnectionOptions & { noDelay: boolean }> {
  if (tls === undefined) throw new TypeError('an ssl: remote needs the option tls: { cert, key, ca }');
  const [cert, key, ca] = await Promise.all([tls.cert, tls.key, tls.ca].map(readPem));
  const name = tls.serverName === undefined ? { checkServerIdentity: () => undefined } : { servername: tls.serverName };
  return { host, port, cert: cert!, key: key!, ca: ca!, noDelay: true, ...name };
}

async function readPem(source: string | Buffer): Promise<Buffer> {
  return typeof source === 'string' ? await readFile(source) : source;
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
