import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';

/** One answered request, for the lab to show who read and wrote what. */
export interface LogEntry {
  /** RFC 3339, UTC, ms. */
  readonly at: string;
  readonly verb: string;
  /** `pods`, `pods/binding`; the path for what is no resource. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly status: number;
  readonly userAgent?: string | undefined;
}

/** Appends one JSON document a line. */
export class RequestLog {
  readonly #stream: WriteStream;

  private constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** @throws Error when the file cannot be written. */
  static async open(file: string): Promise<RequestLog> {
    const stream = createWriteStream(file, { flags: 'a' });
    await once(stream, 'open');
    return new RequestLog(stream);
  }

  write(entry: LogEntry): void {
    this.#stream.write(`${JSON.stringify(entry)}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await once(this.#stream, 'close');
  }
}
