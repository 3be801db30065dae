import { Buffer } from 'node:buffer';

const BLOCK_SIZE = 65536;

/** Copies of bytes that come in pieces of any size: of large ones each by itself, small ones collected into blocks. */
export class Blocks {
  #parts: Buffer[] = [];
  #block = Buffer.alloc(0);
  #used = 0;

  get isEmpty(): boolean {
    return this.#used === 0 && this.#parts.length === 0;
  }

  add(bytes: Buffer): void {
    if (bytes.length >= BLOCK_SIZE / 8) {
      this.#closeBlock();
      this.#parts.push(Buffer.from(bytes));
      return;
    }
    if (this.#used + bytes.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafe(BLOCK_SIZE);
    }
    bytes.copy(this.#block, this.#used);
    this.#used += bytes.length;
  }

  /** All bytes with these at the end; nothing is left. */
  take(tail: Buffer): Buffer {
    this.#closeBlock();
    const all = Buffer.concat([...this.#parts, tail]);
    this.#parts = [];
    return all;
  }

  #closeBlock(): void {
    if (this.#used > 0) this.#parts.push(this.#block.subarray(0, this.#used));
    this.#block = this.#block.subarray(this.#used);
    this.#used = 0;
  }
}
