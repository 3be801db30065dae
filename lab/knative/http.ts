import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  /** Without a slash at its end. */
  readonly url: string;
  /** Stops listening and cuts the connections that are left. */
  close(): Promise<void>;
}

/** Serves HTTP on a port of 127.0.0.1; 0 takes a free one. */
export async function listen(handler: RequestListener, port = 0): Promise<Listening> {
  // Idle connections stay: one that ends in the moment of the next request would be an error that no cluster makes.
  const server = createServer({ keepAliveTimeout: 0 }, handler).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A connection for each request under way, kept for the next one. */
const agent = new Agent({ keepAlive: true });

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Sends a request, once. `fetch` would do too, but takes more of a core than all the rest of a delivery.
 *
 * @throws Error when no whole answer came, or by `signal`.
 */
export async function exchange(url: string, { body, ...options }: HttpRequest): Promise<HttpAnswer> {
  const sent = request(url, { ...options, agent });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  // What ends a request whose answer has begun ends the answer too, and is told there.
  sent.on('error', () => {});
  sent.end(body);
  const [response] = await answered;
  const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return { status: response.statusCode!, headers: new Headers(headers), body: await bodyOf(response) };
}

/** The headers of a message that are meant for its receiver and not for the hop that it came over. */
export function endToEnd(headers: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.has(name)));
}

const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
