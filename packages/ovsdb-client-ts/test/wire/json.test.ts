import fc from 'fast-check';
import { UnsendableError } from '../../src/index.ts';
import { parseJson, stringifyParams } from '../../src/wire/json.ts';
import { numRuns } from '../support/runs.ts';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

it('keeps integers that a double would round, and leaves others numbers', () => {
  expect(parseJson(`[${MAX},${MIN},9007199254740993,9007199254740991,-5,1.5,1e300]`)).toEqual([
    MAX,
    MIN,
    9007199254740993n,
    9007199254740991,
    -5,
    1.5,
    1e300,
  ]);
});

it('does not touch digits in strings', () => {
  const value = { a: '9223372036854775807', b: ['x,9223372036854775807', ':-9223372036854775808'] };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

it('writes what it reads, for every int64', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: MIN, max: MAX })), (values) => {
      const read = parseJson(stringifyParams(values)) as (number | bigint)[];
      expect(read.map(BigInt)).toEqual(values);
    }),
    { numRuns },
  );
}, 600_000);

it.each([
  ['a NUL', [{ row: { name: 'a\0b' } }], '/0/row/name'],
  ['a NUL in a key', [{ 'a\0': 1 }], '/0'],
  ['a lone surrogate', ['x', ['\ud800']], '/1/0'],
  ['an integer beyond int64', [MAX + 1n], '/0'],
  ['a number next to zero', [{ r: 1e-310 }], '/0/r'],
  ['the number next to zero', [-5e-324], '/0'],
  ['a number that 15 digits round to what is next to zero', [2.2250738585072014e-308], '/0'],
  ['a number that 15 digits round up beyond all', [-Number.MAX_VALUE], '/0'],
  ['NaN', [[Number.NaN]], '/0/0'],
  ['undefined in an array', [undefined], '/0'],
  ['a function', [() => 1], '/0'],
  ['a NUL in what an object makes of itself', [{ toJSON: () => ({ name: 'a\0b' }) }], '/0/name'],
])('rejects %s and points to it', (_what, params, pointer) => {
  const attempt = () => stringifyParams(params);
  expect(attempt).toThrow(UnsendableError);
  expect(attempt).toThrow(expect.objectContaining({ pointer }));
});

it('rejects nesting that the server would not read, and no less', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  expect(() => stringifyParams([nest(1000)])).toThrow(UnsendableError);
  expect(stringifyParams([nest(900)])).toHaveLength(1803);
});

it('shortens a long pointer in its message, and keeps it whole as a property', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  let error: UnsendableError | undefined;
  try {
    stringifyParams([nest(1000)]);
  } catch (thrown) {
    error = thrown as UnsendableError;
  }
  expect(error!.message.length).toBeLessThan(200);
  expect(error!.pointer.length).toBeGreaterThan(1900);
});

it('leaves out members that are undefined, as JSON.stringify does', () => {
  expect(stringifyParams([{ a: undefined, b: 1 }])).toBe('[{"b":1}]');
});

it('writes numbers that are close to the ends', () => {
  const numbers = [2.22507385850721e-308, -1e-307, 1.79769313486231e308, 0];
  expect(JSON.parse(stringifyParams(numbers))).toEqual(numbers);
});

it('reads the largest number, of which a server writes 15 digits, as a number', () => {
  expect(parseJson('[1.79769313486232e+308,-1.79769313486232e+308,1e+22]')).toEqual([
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    1e22,
  ]);
});
