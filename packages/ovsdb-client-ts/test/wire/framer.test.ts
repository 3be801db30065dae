import fc from 'fast-check';
import { ProtocolError } from '../../src/index.ts';
import { Framer } from '../../src/wire/framer.ts';
import { numRuns } from '../support/runs.ts';

function frame(chunks: Iterable<Uint8Array>): string[] {
  const frames: string[] = [];
  const framer = new Framer((text) => frames.push(text));
  for (const chunk of chunks) framer.push(Buffer.from(chunk));
  return frames;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const messages = fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })), {
  maxLength: 5,
});
const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });
const spaces = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

it('finds the same messages however the stream is cut, also inside a UTF-8 character', () => {
  fc.assert(
    fc.property(messages, sizes, spaces, (values, chunkSizes, space) => {
      const texts = values.map((value) => JSON.stringify(value));
      const bytes = Buffer.from(texts.map((text) => space + text).join('') + space);
      expect(frame(cut(bytes, chunkSizes))).toEqual(texts);
    }),
    { numRuns },
  );
}, 600_000);

it('takes any bytes: it frames them, waits for more, or says that they are no JSON objects', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom(...Buffer.from('{}[]":\\ a,1\u00e9')), { maxLength: 100 })
      .map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(noise, sizes, (bytes, chunkSizes) => {
      const attempt = (chunks: Buffer[]): unknown => {
        try {
          return frame(chunks);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return 'rejected';
        }
      };
      // How it was cut makes no difference.
      expect(attempt(cut(Buffer.from(bytes), chunkSizes))).toEqual(attempt(cut(Buffer.from(bytes), [])));
    }),
    { numRuns },
  );
}, 600_000);

it.each([
  ['text', 'hello'],
  ['an array', '[1]'],
  ['a number', '1'],
  ['a closing bracket', '{}}'],
])('rejects %s between messages', (_what, text) => {
  expect(() => frame([Buffer.from(text)])).toThrow(ProtocolError);
});

it('rejects a message that is not UTF-8 instead of replacing characters', () => {
  expect(() => frame([Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])])).toThrow('not UTF-8');
});

it('does not take brackets and escaped quotes in strings for its own', () => {
  const text = JSON.stringify({ a: '}{"\\', b: ['\\"]'] });
  expect(frame(cut(Buffer.from(text), [1]))).toEqual([text]);
});
