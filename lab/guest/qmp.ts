import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** QEMU rejected a command. */
export class QmpCommandError extends Error {
  /** QEMU's class of error, e.g. `GenericError` or `DeviceNotFound`. */
  readonly errorClass: string;

  constructor(command: string, error: { class: string; desc: string }) {
    super(`QEMU rejected '${command}': ${error.desc} (${error.class})`);
    this.name = 'QmpCommandError';
    this.errorClass = error.class;
  }
}

/** There is no connection to QEMU, or it ended before QEMU answered. */
export class QmpConnectionError extends Error {
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`QMP at ${path}: ${what}`, options);
    this.name = 'QmpConnectionError';
  }
}

/** An event as QEMU sends it; `at` is QEMU's own time in ms since the epoch. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly at: number;
}

type Message =
  | { QMP: unknown }
  | { id: number; return: unknown }
  | { id: number; error: { class: string; desc: string } }
  | { event: string; data?: Record<string, unknown>; timestamp: { seconds: number; microseconds: number } };

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to the control socket of a QEMU (QEMU Machine Protocol). Emits `event` with a {@link QmpEvent} for
 * each that QEMU sends, and `close` when the connection has ended.
 */
export class QmpClient extends EventEmitter<{ event: [QmpEvent]; close: [] }> {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #lastAt = new Map<string, number>();
  #lastId = 0;
  #closed = false;

  /** Connects and negotiates; then commands are allowed. */
  static async connect(path: string): Promise<QmpClient> {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw new QmpConnectionError(path, 'nobody listens there', { cause: error });
    }
    const client = new QmpClient(path, socket);
    await client.execute('qmp_capabilities');
    return client;
  }

  private constructor(path: string, socket: Socket) {
    super();
    this.#path = path;
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.#receive(JSON.parse(line) as Message));
    // What went wrong is told to those who wait, at the close that follows each error. (readline passes errors on.)
    for (const emitter of [socket, lines]) emitter.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  /**
   * Runs a command and gives what it returns.
   *
   * @throws QmpCommandError when QEMU rejects it, QmpConnectionError when the connection ends before the answer.
   */
  async execute<T = unknown>(command: string, args: Record<string, unknown> = {}): Promise<T> {
    if (this.#closed) throw new QmpConnectionError(this.#path, `the connection has ended; '${command}' was not sent`);
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { command, resolve, reject }));
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return (await answer) as T;
  }

  /** When QEMU last sent this event, by its own clock, ms since the epoch. */
  lastAt(event: string): number | undefined {
    return this.#lastAt.get(event);
  }

  /** Ends the connection; QEMU goes on. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(message: Message): void {
    if ('event' in message) {
      const { seconds, microseconds } = message.timestamp;
      const at = seconds * 1000 + microseconds / 1000;
      this.#lastAt.set(message.event, at);
      this.emit('event', { event: message.event, data: message.data ?? {}, at });
    } else if ('id' in message) {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('error' in message) waiting?.reject(new QmpCommandError(waiting.command, message.error));
      else waiting?.resolve(message.return);
    }
  }

  #ended(): void {
    this.#closed = true;
    for (const { command, reject } of this.#waiting.values()) {
      reject(new QmpConnectionError(this.#path, `the connection ended before QEMU answered '${command}'`));
    }
    this.#waiting.clear();
    this.emit('close');
  }
}
