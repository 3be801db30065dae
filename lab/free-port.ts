import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Linux gives outgoing connections ports from 32768 on (ip(7), ip_local_port_range): one of those may be taken again
 * before its program listens.
 */
const FIRST_PORT = 16_384;
const LAST_PORT = 32_767;

/** A TCP port that nobody listens on, on any address, for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '::');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
