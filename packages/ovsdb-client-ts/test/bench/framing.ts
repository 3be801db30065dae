import { isDeepStrictEqual } from 'node:util';
import { Framer } from '../../src/wire/framer.ts';
import { parseJson } from '../../src/wire/json.ts';

const MIB = 2 ** 20;
const ROUNDS = 15;

/** The reply to a select of ports, with characters of one to four bytes in UTF-8. */
function makeReply(bytes: number): { text: string; bytes: Buffer } {
  const rows: unknown[] = [];
  let size = 0;
  for (let i = 0; size < bytes; i++) {
    const row = {
      _uuid: ['uuid', crypto.randomUUID()],
      name: `vm-${i}.größe.東京.\u{1f680}`,
      addresses: ['set', [`0a:00:00:00:00:${(i % 256).toString(16)} 10.0.${(i >> 8) % 256}.${i % 256}`]],
      options: ['map', [['requested-chassis', `node-${i % 100}`]]],
      external_ids: [
        'map',
        [
          ['pod', `default/vm-${i}`],
          ['note', 'quote \\" and } in a string'],
        ],
      ],
      tag: i % 4096,
      up: true,
    };
    size += Buffer.byteLength(JSON.stringify(row)) + 1;
    rows.push(row);
  }
  const text = JSON.stringify({ id: 1, result: [{ rows }], error: null });
  return { text, bytes: Buffer.from(text) };
}

/**
 * Medians in ms of the two, measured in turns so that what else the machine does hits both, and each after a garbage
 * collection (node --expose-gc) so that neither pays for the other's garbage.
 */
function compare(first: () => void, second: () => void): [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [which, measure] of [first, second].entries()) {
      globalThis.gc!();
      const started = performance.now();
      measure();
      times[which]!.push(performance.now() - started);
    }
  }
  return times.map((list) => list.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!) as [number, number];
}

function decodeInChunks(bytes: Buffer, chunkSize: number): unknown {
  let message: unknown;
  const framer = new Framer((text, hasExtremeNumber) => {
    message = parseJson(text, hasExtremeNumber);
  });
  for (let at = 0; at < bytes.length; at += chunkSize) framer.push(bytes.subarray(at, at + chunkSize));
  return message;
}

const { text, bytes } = makeReply(16 * MIB);
console.log(`A reply of ${(bytes.length / MIB).toFixed(1)} MiB`);

for (const chunkSize of [1, 7, 1000, 4096, 65536]) {
  const started = performance.now();
  const isRight = isDeepStrictEqual(decodeInChunks(bytes, chunkSize), JSON.parse(text));
  const ms = performance.now() - started;
  console.log(
    `chunks of ${chunkSize}: ${isRight ? 'decoded right' : 'WRONG'}, ${ms.toFixed(0)} ms with the comparison`,
  );
  if (!isRight) process.exitCode = 1;
}

const [parse, ours] = compare(
  () => JSON.parse(text),
  () => decodeInChunks(bytes, 65536),
);
const ratio = ours / parse;
console.log(`medians of ${ROUNDS}: JSON.parse of the text ${parse.toFixed(0)} ms`);
console.log(`from chunks of 64 KiB to the message ${ours.toFixed(0)} ms: ${ratio.toFixed(2)} x (limit 2)`);
if (ratio > 2) process.exitCode = 1;

const long = Buffer.from(text.replace('"tag":7', `"tag":${2n ** 63n - 1n}`));
const [again, withLong] = compare(
  () => JSON.parse(text),
  () => decodeInChunks(long, 65536),
);
console.log(`the same with one integer beyond 2^53 in it: ${(withLong / again).toFixed(2)} x`);
console.log(process.exitCode ? 'FAIL' : 'PASS');
