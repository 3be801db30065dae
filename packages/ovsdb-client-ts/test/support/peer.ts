import { Duplex } from 'node:stream';
import { Framer } from '../../src/wire/framer.ts';

type Message = { id: unknown; method?: string; params?: unknown[]; result?: unknown };

/** The server's end of an injected stream, for what a real server cannot be brought to do. */
export class Peer {
  readonly stream: Duplex;
  /** All messages that the client sent. */
  readonly received: Message[] = [];
  /** While true the peer reads nothing. */
  isStuck = false;

  constructor(answer: (peer: Peer, message: Message) => void = answerAsStandalone) {
    const framer = new Framer((text) => {
      const message = JSON.parse(text) as Message;
      this.received.push(message);
      answer(this, message);
    });
    this.stream = new Duplex({
      writableHighWaterMark: 1000,
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        if (this.isStuck) return;
        framer.push(chunk);
        done();
      },
    });
  }

  send(...messages: unknown[]): void {
    this.sendRaw(messages.map((message) => JSON.stringify(message)).join(''));
  }

  sendRaw(bytes: string | Buffer): void {
    this.stream.push(Buffer.from(bytes));
  }

  methods(): string[] {
    return this.received.flatMap(({ method }) => method ?? []);
  }
}

export const standaloneRow = { name: 'DB', model: 'standalone', connected: true, leader: true };

/** Answers what every client asks first; the rest is left to the test. */
function answerAsStandalone(peer: Peer, { id, method, params }: Message): void {
  answerAs(standaloneRow)(peer, { id, method: method ?? '', params: params ?? [] });
}

export function answerAs(row: object): (peer: Peer, message: Message) => void {
  return (peer, { id, method }) => {
    if (method === 'set_db_change_aware') peer.send({ id, result: {}, error: null });
    if (method === 'monitor') peer.send({ id, result: { Database: { row: { new: row } } }, error: null });
  };
}
