import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { Counters } from '../diagnostics.ts';
import { ConnectError, OutcomeUnknownError, ProtocolError, RpcError } from '../errors.ts';
import { Framer } from '../wire/framer.ts';
import { parseJson, stringifyParams } from '../wire/json.ts';
import { readServerError } from '../wire/server-error.ts';
import type { Limit } from './limit.ts';
import { Probe } from './probe.ts';

interface Pending {
  readonly method: string;
  readonly readText: ReadText | undefined;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Reads a result from the part of a message that it is; undefined leaves it to JSON.parse. */
export type ReadText = (text: string, from: number, end: number) => object | undefined;

interface Outgoing {
  readonly text: string;
  /** Called at the moment from which the peer may have read the message. */
  onSent?(): void;
  onNotSent?(reason: Error): void;
}

/** From as many characters on it is worth a look whether a reply's text has a reader of its own. */
const LARGE = 65_536;
/** As ovsdb-server writes the reply to a request that it does not reject. */
const REPLY_BEGIN = /^\{"id":(\d+),"result":/;
const REPLY_END = ',"error":null}';

export type NotificationListener = (method: string, params: readonly unknown[]) => void;

export interface ConnectionOptions {
  /** Where it leads, for messages. */
  name: string;
  /** Silence in milliseconds after which an echo is sent, and after as much again the connection given up. 0: never. */
  probeIntervalMs: number;
  /** Of the client, for all its connections. */
  counters: Counters;
}

/** JSON-RPC 1.0 over one byte stream (RFC 7047 section 4). Lives until the stream ends; never reconnects. */
export class Connection {
  readonly name: string;
  /** Settles with the reason when the connection is gone. */
  readonly closed: Promise<Error>;
  /** Of the locks that were asked for and not given back: the server rejects a second request for one. */
  readonly lockNames = new Set<string>();
  readonly #resolveClosed: (reason: Error) => void;
  readonly #stream: Duplex;
  readonly #probe: Probe;
  readonly #counters: Counters;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, NotificationListener>();
  readonly #closedListeners = new Set<(reason: Error) => void>();
  #queue: Outgoing[] = [];
  #blocked = false;
  #isFlushing = false;
  #nextId = 1;
  #retireReason: Error | undefined;
  #closeReason: Error | undefined;

  constructor(stream: Duplex, { name, probeIntervalMs, counters }: ConnectionOptions) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.name = name;
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#stream = stream;
    this.#counters = counters;
    this.#probe = new Probe(probeIntervalMs, {
      ask: () => this.#write({ text: '{"id":"echo","method":"echo","params":[]}' }),
      giveUp: () => this.close(new Error(`no answer to the inactivity probe within ${probeIntervalMs} ms`)),
    });
    const framer = new Framer((text, hasExtremeNumber) => this.#receive(text, hasExtremeNumber));
    stream.on('data', (chunk: Buffer) => {
      this.#probe.alive();
      counters.bytesReceived += chunk.length;
      this.#guard(() => framer.push(chunk));
    });
    stream.on('drain', () => this.#drain());
    stream.on('error', (error) => this.close(error));
    stream.on('end', () => this.close(new Error('the server closed the connection')));
    stream.on('close', () => this.close(new Error('the connection was closed')));
  }

  /**
   * Sends a request and waits for its reply. `onResult` is called before any later message is looked at, which a
   * promise cannot promise. `readText` may read the result in the place of JSON.parse when it is large.
   * @throws ConnectError, UnsendableError (nothing was sent), OutcomeUnknownError, RpcError
   */
  request(
    method: string,
    params: readonly unknown[],
    limit: Limit,
    onResult?: (result: unknown) => void,
    readText?: ReadText,
  ): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      const stopped = this.#closeReason ?? limit.reached;
      if (stopped !== undefined) throw notSent(method, stopped);
      const id = this.#nextId++;
      const settle = (result: unknown): void => {
        try {
          onResult?.(result);
        } catch (error) {
          reject(error as Error);
          throw error;
        }
        resolve(result);
      };
      const message: Outgoing = {
        text: `{"id":${id},"method":"${method}","params":${stringifyParams(params)}}`,
        onSent: () => {
          this.#counters.requests++;
          this.#pending.set(id, { method, readText, resolve: settle, reject });
        },
        onNotSent: (reason) => reject(notSent(method, reason)),
      };
      this.#write(message);
      limit.onReached((reason) => {
        if (this.#pending.has(id)) this.#abandon(id, reason);
        else this.#unqueue(message, reason);
      });
    });
  }

  /** Sends a message that has no reply. */
  notify(method: string, params: readonly unknown[]): void {
    if (this.#closeReason !== undefined) return;
    this.#write({ text: `{"id":null,"method":"${method}","params":${stringifyParams(params)}}` });
  }

  /**
   * Hears the notifications about one thing: `monitor:<id>` for update, update2, update3 and monitor_canceled,
   * `lock:<id>` for locked and stolen. Called in the order of arrival. Returns the way to stop.
   */
  listen(topic: string, listener: NotificationListener): () => void {
    this.#listeners.set(topic, listener);
    return () => {
      if (this.#listeners.get(topic) === listener) this.#listeners.delete(topic);
    };
  }

  /** For a request whose answer takes long: until it is disposed of, the inactivity probe gives nobody up. */
  expectSilence(): Disposable {
    return this.#probe.expectSilence();
  }

  /** Calls the listener when the connection is gone, at once if it is already. Returns the way to stop. */
  onClosed(listener: (reason: Error) => void): () => void {
    if (this.#closeReason !== undefined) listener(this.#closeReason);
    else this.#closedListeners.add(listener);
    return () => this.#closedListeners.delete(listener);
  }

  /** Closes when the requests in flight have their answers. */
  retire(reason: Error): void {
    this.#retireReason ??= reason;
    this.#closeIfRetired();
  }

  /** Ends the stream at once. Requests in flight get OutcomeUnknownError with the reason. */
  close(reason: Error): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#probe.stop();
    this.#stream.destroy();
    for (const { method, reject } of this.#pending.values()) {
      reject(new OutcomeUnknownError(method, `${this.name}: ${reason.message}`, { cause: reason }));
    }
    for (const message of this.#queue) message.onNotSent?.(reason);
    this.#pending.clear();
    this.#listeners.clear();
    this.#queue = [];
    this.#resolveClosed(reason);
    for (const listener of this.#closedListeners) listener(reason);
    this.#closedListeners.clear();
  }

  #abandon(id: number, reason: Error): void {
    const { method, reject } = this.#pending.get(id)!;
    this.#pending.delete(id);
    // A notification: what the server answers comes under the request's id and finds nobody (RFC 7047 section 4.1.4).
    if (method === 'transact') this.notify('cancel', [id]);
    reject(new OutcomeUnknownError(method, reason.message, { cause: reason }));
    this.#closeIfRetired();
  }

  #unqueue(message: Outgoing, reason: Error): void {
    const at = this.#queue.indexOf(message);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    message.onNotSent?.(reason);
  }

  #closeIfRetired(): void {
    const idle = this.#pending.size === 0 && this.#queue.length === 0;
    if (idle && this.#retireReason !== undefined) this.close(this.#retireReason);
  }

  /**
   * What is written in one turn of the event loop leaves together: with many requests in flight, a system call for each
   * is what costs most, here and in the server.
   */
  #write(message: Outgoing): void {
    this.#queue.push(message);
    if (this.#isFlushing || this.#blocked) return;
    this.#isFlushing = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushing = false;
    while (!this.#blocked && this.#queue.length > 0) {
      let text = '';
      let taken = 0;
      // Not more than there is room for: what waits for room has not been sent.
      while (taken < this.#queue.length && text.length < this.#stream.writableHighWaterMark) {
        const message = this.#queue[taken++]!;
        message.onSent?.();
        text += message.text;
      }
      this.#queue = this.#queue.slice(taken);
      this.#counters.bytesSent += Buffer.byteLength(text);
      this.#blocked = !this.#stream.write(text);
    }
  };

  #drain(): void {
    this.#blocked = false;
    this.#flush();
  }

  /** Whatever goes wrong while reading means that the rest of the stream cannot be trusted. */
  #guard(read: () => void): void {
    if (this.#closeReason !== undefined) return;
    try {
      read();
    } catch (error) {
      const reason = error instanceof ProtocolError ? error : new ProtocolError(String(error), { cause: error });
      this.close(reason);
    }
  }

  #receive(text: string, hasExtremeNumber: boolean): void {
    if (this.#closeReason !== undefined) return;
    if (text.length >= LARGE && this.#receiveText(text)) return;
    const { id, method, params, result, error } = parseJson(text, hasExtremeNumber) as Record<string, unknown>;
    if (typeof method === 'string') this.#receiveCall(id, method, params);
    else if (typeof id === 'number') this.#receiveReply(id, result, error);
    else if (id !== 'echo') throw new ProtocolError(`Got neither a request nor a reply: ${text.slice(0, 100)}`);
  }

  #receiveText(text: string): boolean {
    const [begin, id] = REPLY_BEGIN.exec(text) ?? [];
    const readText = this.#pending.get(Number(id))?.readText;
    if (begin === undefined || readText === undefined || !text.endsWith(REPLY_END)) return false;
    const result = readText(text, begin.length, text.length - REPLY_END.length);
    if (result !== undefined) this.#receiveReply(Number(id), result, null);
    return result !== undefined;
  }

  #receiveCall(id: unknown, method: string, params: unknown): void {
    if (!Array.isArray(params)) throw new ProtocolError(`Got ${method} without an array of parameters`);
    if (method === 'echo') {
      this.#write({ text: JSON.stringify({ id, result: params, error: null }) });
      return;
    }
    this.#counters.notifications++;
    const kind = method === 'locked' || method === 'stolen' ? 'lock' : 'monitor';
    this.#listeners.get(`${kind}:${params[0]}`)?.(method, params);
  }

  #receiveReply(id: number, result: unknown, error: unknown): void {
    const pending = this.#pending.get(id);
    // A reply that nobody waits for belongs to a request that was given up.
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#counters.replies++;
    if (error === null || error === undefined) pending.resolve(result);
    else pending.reject(toRpcError(pending.method, error));
    this.#closeIfRetired();
  }
}

function notSent(method: string, reason: Error): ConnectError {
  return new ConnectError(`${method} was not sent: ${reason.message}`, { cause: reason });
}

/** The server may cancel a transaction by itself, and a cancelled one may still complete (RFC 7047 section 4.1.4). */
function toRpcError(method: string, error: unknown): Error {
  const serverError = readServerError(error);
  return serverError.tag === 'canceled'
    ? new OutcomeUnknownError(method, 'the server cancelled it')
    : new RpcError(method, serverError);
}
