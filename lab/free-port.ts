import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port that nobody listens on, on any address, for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
