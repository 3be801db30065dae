import { connect as connectNet } from 'node:net';
import { type Connect, connectSocket, type TlsFiles } from 'ovsdb-client-ts';
import type { ClusterApi } from './api.ts';
import { findTarget, type PortForwards } from './port-forward.ts';

/** How OVN is reached: by its remotes, through the API server, or by whichever works. */
export const WAYS = ['auto', 'remote', 'port-forward'] as const;
export type Way = (typeof WAYS)[number];

/** Longer than any network takes to answer where it has a way at all. */
const REACHED_WITHIN_MS = 2_000;

/** Opens the streams to OVN's databases from outside the cluster, where most remotes are names that only pods know. */
export function connectToOvn(tls: TlsFiles | undefined, way: Way, api: ClusterApi, forwards: PortForwards): Connect {
  const connect = connectSocket(tls);
  const local = new Map<string, Promise<number | undefined>>();
  return async (endpoint, signal) => {
    if (endpoint.kind === 'unix') return await connect(endpoint, signal);
    const { host, port } = endpoint;
    const key = `${host}:${port}`;
    if (!local.has(key)) {
      const found = forwarded(host, port);
      local.set(key, found);
      // Another attempt may find what this one did not.
      found.catch(() => local.delete(key));
    }
    const at = await local.get(key);
    return await connect(at === undefined ? endpoint : { ...endpoint, host: '127.0.0.1', port: at }, signal);
  };

  async function forwarded(host: string, port: number): Promise<number | undefined> {
    if (way === 'remote') return undefined;
    const why = way === 'auto' ? await whyNotReached(host, port) : undefined;
    if (way === 'auto' && why === undefined) return undefined;
    try {
      return await forwards.open(await findTarget(api, host, port));
    } catch (error) {
      const tried = why === undefined ? '' : `${why}; and through the API server: `;
      throw new Error(`${tried}${(error as Error).message}`, { cause: error });
    }
  }
}

function whyNotReached(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectNet({ host, port });
    const end = (why?: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(REACHED_WITHIN_MS, () => end(`${host}:${port} does not answer within ${REACHED_WITHIN_MS} ms`));
    socket.once('error', (error) => end(error.message));
    socket.once('connect', () => end());
  });
}
