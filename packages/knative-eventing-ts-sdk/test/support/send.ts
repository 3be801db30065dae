import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { HttpMessage } from '../../src/index.ts';
import { ENCODINGS } from './encodings.ts';

/** Those of a body that can be sent as it is. */
export const SENDABLE = ENCODINGS.filter(([, { body }]) => typeof body === 'string' || ArrayBuffer.isView(body));

/** Posts a message with its headers as they are, which fetch would not do. */
export async function send(url: string, { headers, body }: HttpMessage): Promise<IncomingMessage> {
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  const sent = Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as OutgoingHttpHeaders;
  const post = request(url, { method: 'POST', headers: sent, agent: false });
  post.end(ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength) : body);
  const [response] = await once(post, 'response');
  return response;
}
