import { type Buffer, isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import { Blocks } from './blocks.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const PLUS = 0x2b;
/** A number with as many digits may be more than a double can hold: 2^53 has 16. */
const LONG_NUMBER = 16;

/** With `hasExtremeNumber` the text may have a number that JSON.parse does not read as it was meant: see parseJson. */
export type OnFrame = (text: string, hasExtremeNumber: boolean) => void;

/**
 * Cuts a byte stream into JSON objects. OVSDB has no delimiter between messages (RFC 7047 section 4), so the nesting
 * of brackets outside strings is followed. Works on bytes, so that a chunk may end inside a UTF-8 character; every byte
 * is looked at once, whatever the chunks.
 */
export class Framer {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose end has not come yet. */
  readonly #held = new Blocks();
  #depth = 0;
  #inString = false;
  #escaped = false;
  #digits = 0;
  #hasExtremeNumber = false;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @throws ProtocolError when the bytes cannot be a sequence of JSON objects; the stream is lost then. */
  push(chunk: Buffer): void {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#inString) {
        at = this.#skipString(chunk, at);
      } else if (this.#depth > 0) {
        at = this.#skipStructure(chunk, at);
        if (this.#depth === 0) this.#emit(chunk.subarray(start, at));
      } else {
        start = skipSpace(chunk, at);
        at = start + 1;
        if (start < chunk.length) this.#begin(chunk[start]!);
      }
    }
    if (this.#depth > 0) this.#held.add(chunk.subarray(start));
  }

  #begin(byte: number): void {
    if (byte !== OPEN_OBJECT) throw new ProtocolError(`Expected a JSON object and got byte 0x${byte.toString(16)}`);
    this.#depth = 1;
    this.#digits = 0;
    this.#hasExtremeNumber = false;
  }

  /** Returns the position after the next quote, the frame's end, or the chunk's. */
  #skipStructure(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let depth = this.#depth;
    let digits = this.#digits;
    let at = from;
    while (at < length) {
      const byte = chunk[at++]!;
      if (byte === QUOTE) {
        this.#inString = true;
        break;
      }
      if (byte >= 0x30 && byte <= 0x39) {
        if (++digits === LONG_NUMBER) this.#hasExtremeNumber = true;
        continue;
      }
      digits = 0;
      // `[` and `{` differ in one bit, and so do `]` and `}`.
      if ((byte | 0x20) === OPEN_OBJECT) depth++;
      else if ((byte | 0x20) === CLOSE_OBJECT) {
        if (--depth === 0) break;
      } else if (byte === PLUS) this.#hasExtremeNumber = true;
    }
    this.#depth = depth;
    this.#digits = this.#inString ? 0 : digits;
    return at;
  }

  /** Returns the position after the string's end, or the chunk's. */
  #skipString(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = this.#escaped ? from + 1 : from;
    while (at < length) {
      const byte = chunk[at];
      if (byte === QUOTE) break;
      at += byte === BACKSLASH ? 2 : 1;
    }
    // One past the end: the character after a backslash is in the next chunk.
    this.#escaped = at > length;
    this.#inString = at >= length;
    return Math.min(at + 1, length);
  }

  #emit(tail: Buffer): void {
    const frame = this.#held.isEmpty ? tail : this.#held.take(tail);
    if (!isUtf8(frame)) throw new ProtocolError('Got a message that is not UTF-8');
    this.#onFrame(frame.toString('utf8'), this.#hasExtremeNumber);
  }
}

function skipSpace(chunk: Buffer, from: number): number {
  let at = from;
  while (at < chunk.length && isSpace(chunk[at]!)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
