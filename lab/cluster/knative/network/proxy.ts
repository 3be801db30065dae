import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Endpoint } from './endpoints.ts';
import type { Destination } from './routes.ts';

/**
 * Sends a request on, and its answer back. HTTP/1.1 without upgrades and without retries is all that a broker asks for.
 * Each has a connection of its own: one that is kept could be closed in the moment in which it is used again.
 *
 * @returns status of the answer
 * @throws Error when the endpoint cannot be reached or breaks off
 */
export async function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  { headers }: Destination,
  { address, port }: Endpoint,
): Promise<number> {
  const { method, url } = incoming;
  const sent = request({
    ...{ host: address, port, method, path: url, agent: false },
    headers: { ...incoming.headers, ...headers, connection: 'close' },
  });
  // Whoever asked may go away before the answer is there.
  response.once('close', () => sent.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  incoming.pipe(sent);
  const answer = await answered;
  const { connection: _, ...answerHeaders } = answer.headers;
  response.writeHead(answer.statusCode!, answerHeaders);
  await pipeline(answer, response);
  return answer.statusCode!;
}
