import { Buffer, isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Cuts a byte stream into JSON objects. OVSDB has no delimiter between messages (RFC 7047 section 4), so the nesting
 * of brackets outside strings is followed. Works on bytes, so that a chunk may end inside a UTF-8 character; every byte
 * is looked at once, whatever the chunks.
 */
export class Framer {
  readonly #onFrame: (text: string) => void;
  /** The beginning of a frame whose end has not come yet. */
  #held: Buffer = Buffer.allocUnsafe(0);
  #heldLength = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(onFrame: (text: string) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws ProtocolError when the bytes cannot be a sequence of JSON objects; the stream is lost then. */
  push(chunk: Buffer): void {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (depth === 0) {
        if (isSpace(byte)) continue;
        if (byte !== OPEN_OBJECT) throw new ProtocolError(`Expected a JSON object and got byte 0x${byte.toString(16)}`);
        depth = 1;
        start = at;
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth++;
      } else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) {
        this.#emit(chunk.subarray(start, at + 1));
        start = at + 1;
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    if (depth > 0) this.#hold(chunk.subarray(start));
  }

  #emit(tail: Buffer): void {
    let frame = tail;
    if (this.#heldLength > 0) {
      this.#hold(tail);
      frame = this.#held.subarray(0, this.#heldLength);
      this.#held = Buffer.allocUnsafe(0);
      this.#heldLength = 0;
    }
    if (!isUtf8(frame)) throw new ProtocolError('Got a message that is not UTF-8');
    this.#onFrame(frame.toString('utf8'));
  }

  #hold(bytes: Buffer): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#held.length * 2, 256));
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldLength);
    this.#heldLength = length;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
