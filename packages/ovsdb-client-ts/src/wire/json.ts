import { UnsendableError } from '../errors.ts';

/** ovsdb-server closes the connection on JSON nested deeper than 1000; the message around the parameters takes two. */
const MAX_DEPTH = 990;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** As JSON.parse, but integers that a double cannot hold become bigint. Without long numbers it is as fast. */
export function parseJson(text: string, hasLongNumber = true): unknown {
  return hasLongNumber ? parseWith(text, exactIntegers) : JSON.parse(text);
}

function exactIntegers(_key: string, value: unknown, { source }: { source: string }): unknown {
  const lossy = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
  return lossy ? BigInt(source) : value;
}

/**
 * As JSON.stringify, with bigint as integers, for a request's parameters.
 * @throws UnsendableError for what makes ovsdb-server close the connection: U+0000, lone surrogates, too much depth; and
 * for what JSON or int64 cannot hold.
 */
export function stringifyParams(params: readonly unknown[]): string {
  const hasBigint = check(params, '', 0);
  return hasBigint ? JSON.stringify(params, bigintAsInteger) : JSON.stringify(params);
}

function bigintAsInteger(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value;
}

/** Refuses what must not be sent; tells whether there is a bigint inside. */
function check(value: unknown, pointer: string, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      checkString(value, pointer);
      return false;
    case 'number':
      if (!Number.isFinite(value)) throw new UnsendableError(pointer, `is ${value}, which JSON cannot write`);
      return false;
    case 'bigint':
      if (value > MAX_INT64 || value < MIN_INT64) throw new UnsendableError(pointer, `is ${value}, beyond 64 bits`);
      return true;
    case 'boolean':
      return false;
    case 'object':
      if (value === null) return false;
      if (depth > MAX_DEPTH) throw new UnsendableError(pointer, `is nested deeper than ${MAX_DEPTH}`);
      return Array.isArray(value) ? checkArray(value, pointer, depth) : checkObject(value, pointer, depth);
    default:
      throw new UnsendableError(pointer, `is of type ${typeof value}, which JSON cannot write`);
  }
}

function checkArray(values: readonly unknown[], pointer: string, depth: number): boolean {
  let hasBigint = false;
  for (const [index, value] of values.entries()) {
    if (check(value, `${pointer}/${index}`, depth + 1)) hasBigint = true;
  }
  return hasBigint;
}

function checkObject(object: object, pointer: string, depth: number): boolean {
  let hasBigint = false;
  for (const [key, value] of Object.entries(object)) {
    checkString(key, pointer);
    if (value !== undefined && check(value, `${pointer}/${key}`, depth + 1)) hasBigint = true;
  }
  return hasBigint;
}

function checkString(text: string, pointer: string): void {
  if (text.includes('\0')) throw new UnsendableError(pointer, 'has a NUL character');
  if (!text.isWellFormed()) throw new UnsendableError(pointer, 'has a lone surrogate');
}
