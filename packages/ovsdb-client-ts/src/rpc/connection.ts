import type { Duplex } from 'node:stream';
import { ConnectError, OutcomeUnknownError, ProtocolError, RpcError, type ServerError } from '../errors.ts';
import { Framer } from '../wire/framer.ts';
import { parseJson, stringifyParams } from '../wire/json.ts';
import type { Limit } from './limit.ts';

interface Pending {
  readonly method: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Outgoing {
  readonly text: string;
  /** Called at the moment from which the peer may have read the message. */
  onSent?(): void;
}

/** JSON-RPC 1.0 over one byte stream (RFC 7047 section 4). Lives until the stream ends; never reconnects. */
export class Connection {
  /** Where it leads, for messages. */
  readonly name: string;
  /** Settles with the reason when the stream is gone. */
  readonly closed: Promise<Error>;
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  #queue: Outgoing[] = [];
  #blocked = false;
  #nextId = 1;
  #closeReason: Error | undefined;
  readonly #resolveClosed: (reason: Error) => void;

  constructor(stream: Duplex, name: string) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.name = name;
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#stream = stream;
    const framer = new Framer((text) => this.#receive(text));
    stream.on('data', (chunk: Buffer) => {
      try {
        if (this.isOpen) framer.push(chunk);
      } catch (error) {
        this.close(error instanceof ProtocolError ? error : new ProtocolError(String(error), { cause: error }));
      }
    });
    stream.on('drain', () => this.#drain());
    stream.on('error', (error) => this.close(error));
    stream.on('end', () => this.close(new Error('the server closed the connection')));
    stream.on('close', () => this.close(new Error('the connection was closed')));
  }

  get isOpen(): boolean {
    return this.#closeReason === undefined;
  }

  /**
   * Sends a request and waits for its reply.
   * @throws ConnectError, UnsendableError (nothing was sent), OutcomeUnknownError, RpcError, ProtocolError
   */
  request(method: string, params: readonly unknown[], limit: Limit): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      const id = this.#nextId++;
      const text = `{"id":${id},"method":${JSON.stringify(method)},"params":${stringifyParams(params)}}`;
      if (this.#closeReason !== undefined) throw notSent(method, this.#closeReason);
      const message: Outgoing = {
        text,
        onSent: () => this.#pending.set(id, { method, resolve, reject }),
      };
      this.#write(message);
      limit.onReached((reason) => {
        if (this.#pending.delete(id)) {
          if (method === 'transact') this.notify('cancel', [id]);
          reject(new OutcomeUnknownError(method, reason.message, { cause: reason }));
        } else if (this.#queue.includes(message)) {
          this.#queue = this.#queue.filter((other) => other !== message);
          reject(notSent(method, reason));
        }
      });
      void this.closed.then((reason) => reject(notSent(method, reason)));
    });
  }

  /** Sends a message that has no reply. */
  notify(method: string, params: readonly unknown[]): void {
    if (!this.isOpen) return;
    this.#write({ text: `{"id":null,"method":${JSON.stringify(method)},"params":${stringifyParams(params)}}` });
  }

  /** Ends the stream at once. Requests in flight get OutcomeUnknownError with the reason. */
  close(reason: Error): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#stream.destroy();
    for (const { method, reject } of this.#pending.values()) {
      reject(new OutcomeUnknownError(method, `${this.name}: ${reason.message}`, { cause: reason }));
    }
    this.#pending.clear();
    this.#queue = [];
    this.#resolveClosed(reason);
  }

  #write(message: Outgoing): void {
    if (this.#blocked) {
      this.#queue.push(message);
      return;
    }
    message.onSent?.();
    this.#blocked = !this.#stream.write(message.text);
  }

  #drain(): void {
    this.#blocked = false;
    while (!this.#blocked) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.#write(message);
    }
  }

  #receive(text: string): void {
    const message = parseJson(text) as Record<string, unknown>;
    if (typeof message.method === 'string') this.#receiveCall(message.method, message);
    else if ('id' in message) this.#receiveReply(message);
    else throw new ProtocolError(`Got neither a request nor a reply: ${text.slice(0, 100)}`);
  }

  #receiveCall(method: string, { id, params }: Record<string, unknown>): void {
    if (method === 'echo') this.#write({ text: JSON.stringify({ id, result: params ?? [], error: null }) });
  }

  #receiveReply({ id, result, error }: Record<string, unknown>): void {
    // A reply that nobody waits for belongs to a request that was given up.
    const pending = this.#pending.get(id as number);
    if (pending === undefined) return;
    this.#pending.delete(id as number);
    if (error === null || error === undefined) pending.resolve(result);
    else pending.reject(toRpcError(pending.method, error));
  }
}

function notSent(method: string, reason: Error): ConnectError {
  return new ConnectError(`${method} was not sent: ${reason.message}`, { cause: reason });
}

/** The server may cancel a transaction by itself, and a cancelled one may still complete (ovsdb-server(7) 4.1.4). */
function toRpcError(method: string, error: unknown): Error {
  const serverError = readServerError(error);
  return serverError.tag === 'canceled'
    ? new OutcomeUnknownError(method, 'the server cancelled it')
    : new RpcError(method, serverError);
}

/** Errors come as a bare string or as an object. */
export function readServerError(error: unknown): ServerError {
  if (typeof error === 'string') return { tag: error, details: undefined };
  const { error: tag, details } = error as { error?: unknown; details?: unknown };
  return { tag: String(tag), details: typeof details === 'string' ? details : undefined };
}
