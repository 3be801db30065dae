import { UnsendableError } from '../errors.ts';

/** ovsdb-server closes the connection on JSON nested deeper than 1000; the message around the parameters takes two. */
const MAX_DEPTH = 990;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
/** The least number that a double holds with all its digits. */
const LEAST_NORMAL = 2 ** -1022;
/** Numbers between these are beyond doubt. */
const SMALL = 1e-307;
const LARGE = 1e308;

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * As JSON.parse, but integers that a double cannot hold become bigint; and the largest reals, which ovsdb-server writes
 * with 15 digits and so rounds up beyond what there is, are not infinite. Without extreme numbers it is as fast.
 */
export function parseJson(text: string, hasExtremeNumber = true): unknown {
  return hasExtremeNumber ? parseWith(text, exactNumbers) : JSON.parse(text);
}

function exactNumbers(_key: string, value: unknown, { source }: { source: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (/^-?\d+$/.test(source)) return BigInt(source);
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}

/**
 * As JSON.stringify, with bigint as integers, for a request's parameters.
 * @throws UnsendableError for what makes ovsdb-server close the connection: U+0000, lone surrogates, too much depth,
 * numbers next to zero; and for what JSON, int64 or the server's log cannot hold.
 */
export function stringifyParams(params: readonly unknown[]): string {
  const hasBigint = check(params, '', 0);
  return hasBigint ? JSON.stringify(params, bigintAsInteger) : JSON.stringify(params);
}

function bigintAsInteger(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value;
}

/** Throws for what must not be sent; tells whether there is a bigint inside. */
function check(value: unknown, pointer: string, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      checkString(value, pointer);
      return false;
    case 'number':
      checkNumber(value, pointer);
      return false;
    case 'bigint':
      if (value > MAX_INT64 || value < MIN_INT64) throw new UnsendableError(pointer, `is ${value}, beyond 64 bits`);
      return true;
    case 'boolean':
      return false;
    case 'object':
      if (value === null) return false;
      if (depth > MAX_DEPTH) throw new UnsendableError(pointer, `is nested deeper than ${MAX_DEPTH}`);
      // JSON.stringify writes what this gives.
      if ('toJSON' in value && typeof value.toJSON === 'function') return check(value.toJSON(), pointer, depth + 1);
      return Array.isArray(value) ? checkArray(value, pointer, depth) : checkObject(value, pointer, depth);
    default:
      throw new UnsendableError(pointer, `is of type ${typeof value}, which JSON cannot write`);
  }
}

/**
 * ovsdb-server closes the connection on a number that is less than the least normal one. It writes numbers with 15
 * digits, so one that is out of range when rounded to that would be rejected by its own log: at the next start all that
 * was committed since is lost.
 */
function checkNumber(value: number, pointer: string): void {
  if (!Number.isFinite(value)) throw new UnsendableError(pointer, `is ${value}, which JSON cannot write`);
  const size = Math.abs(value);
  if (size === 0 || (size > SMALL && size < LARGE)) return;
  const written = Number(size.toPrecision(15));
  if (written < LEAST_NORMAL || written > Number.MAX_VALUE) {
    throw new UnsendableError(
      pointer,
      `is ${value}, which the server cannot read back with the 15 digits that it writes`,
    );
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
