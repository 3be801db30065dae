import { ProtocolError } from '../errors.ts';
import { NamedUuid } from '../typed/uuid.ts';
import type { WireAtom, WireValue } from '../wire/types.ts';
import { type BaseType, type ColumnType, fitsNumber, type Shape, shapeOf } from './schema.ts';

type Atom = string | number | bigint | boolean;

/** Translates the values of one column between the wire and TypeScript. */
export interface ColumnCodec {
  readonly shape: Shape;
  /** What a column without a value has: '', 0, false, undefined, [] or an empty map. */
  readonly empty: unknown;
  /** @throws ProtocolError for a value that is not of the column's type */
  decode(value: WireValue): unknown;
  /** @throws TypeError for a value that is not of the column's type */
  encode(value: unknown): WireValue;
  /** The value after a `modify` of update2 or update3 (ovsdb-server(7) section 4.1.14). */
  applyDiff(old: unknown, diff: WireValue): unknown;
}

interface AtomCodec {
  readonly empty: Atom;
  decode(value: unknown): Atom;
  encode(value: unknown): WireAtom;
}

const NO_ELEMENTS: readonly Atom[] = Object.freeze([]);
const NO_UUID = '00000000-0000-0000-0000-000000000000';

export function makeCodec(type: ColumnType): ColumnCodec {
  const shape = shapeOf(type);
  const key = atomCodec(shape.key);
  switch (shape.kind) {
    case 'scalar':
      return { shape, ...key, applyDiff: (_old, diff) => key.decode(diff) };
    case 'optional':
      return optionalCodec(shape, key);
    case 'set':
      return setCodec(shape, key);
    case 'map':
      return mapCodec(shape, key, atomCodec(shape.value));
  }
}

function optionalCodec(shape: Shape, key: AtomCodec): ColumnCodec {
  const decode = (value: WireValue): unknown => (isTagged(value, 'set') ? decodeFirst(value[1]) : key.decode(value));
  const decodeFirst = (elements: unknown[]): unknown => (elements.length === 0 ? undefined : key.decode(elements[0]));
  return {
    shape,
    empty: undefined,
    decode,
    encode: (value) => (value === undefined ? ['set', []] : key.encode(value)),
    applyDiff: (_old, diff) => decode(diff),
  };
}

function setCodec(shape: Shape, key: AtomCodec): ColumnCodec {
  const decode = (value: WireValue): readonly Atom[] => {
    if (!isTagged(value, 'set')) return [key.decode(value)];
    return value[1].length === 0 ? NO_ELEMENTS : value[1].map(key.decode);
  };
  return {
    shape,
    empty: NO_ELEMENTS,
    decode,
    encode(value) {
      if (!Array.isArray(value)) throw new TypeError(`expected an array and got ${show(value)}`);
      return ['set', value.map(key.encode)];
    },
    applyDiff(old, diff) {
      const elements = new Set(old as Atom[]);
      for (const element of decode(diff)) if (!elements.delete(element)) elements.add(element);
      return [...elements];
    },
  };
}

function mapCodec(shape: Shape, key: AtomCodec, value: AtomCodec): ColumnCodec {
  const decode = (wire: WireValue): Map<Atom, Atom> => {
    if (!isTagged(wire, 'map')) throw new ProtocolError(`Expected a map and got ${show(wire)}`);
    const map = new Map<Atom, Atom>();
    for (const pair of wire[1]) map.set(key.decode(pair[0]), value.decode(pair[1]));
    return map;
  };
  return {
    shape,
    get empty() {
      return new Map();
    },
    decode,
    encode(map) {
      if (typeof map !== 'object' || map === null || Array.isArray(map)) {
        throw new TypeError(`expected a map or an object and got ${show(map)}`);
      }
      const entries = map instanceof Map ? [...map] : Object.entries(map);
      return ['map', entries.map(([mapKey, mapValue]) => [key.encode(mapKey), value.encode(mapValue)] as const)];
    },
    applyDiff(old, diff) {
      const map = new Map(old as Map<Atom, Atom>);
      for (const [mapKey, mapValue] of decode(diff)) {
        // The same pair again takes it away; another value for the key replaces it.
        if (map.get(mapKey) === mapValue) map.delete(mapKey);
        else map.set(mapKey, mapValue);
      }
      return map;
    },
  };
}

function atomCodec(base: BaseType): AtomCodec {
  switch (base.type) {
    case 'integer':
      return fitsNumber(base) ? numberCodec : bigintCodec;
    case 'real':
      return realCodec;
    case 'boolean':
      return booleanCodec;
    case 'string':
      return stringCodec;
    case 'uuid':
      return uuidCodec;
  }
}

const numberCodec: AtomCodec = {
  empty: 0,
  decode: (value) => (typeof value === 'number' ? value : notWire('an integer below 2^53', value)),
  encode: (value) => (Number.isSafeInteger(value) ? (value as number) : notTyped('an integer', value)),
};

const bigintCodec: AtomCodec = {
  empty: 0n,
  decode: (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : notWire('an integer', value),
  encode: (value) =>
    typeof value === 'bigint' || Number.isSafeInteger(value) ? (value as bigint) : notTyped('a bigint', value),
};

const realCodec: AtomCodec = {
  empty: 0,
  decode: (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? Number(value) : notWire('a number', value),
  encode: (value) => (Number.isFinite(value) ? (value as number) : notTyped('a finite number', value)),
};

const booleanCodec: AtomCodec = {
  empty: false,
  decode: (value) => (typeof value === 'boolean' ? value : notWire('a boolean', value)),
  encode: (value) => (typeof value === 'boolean' ? value : notTyped('a boolean', value)),
};

const stringCodec: AtomCodec = {
  empty: '',
  decode: (value) => (typeof value === 'string' ? value : notWire('a string', value)),
  encode: (value) => (typeof value === 'string' ? value : notTyped('a string', value)),
};

const uuidCodec: AtomCodec = {
  empty: NO_UUID,
  decode: (value) => (isTagged(value, 'uuid') ? value[1] : notWire('a uuid', value)),
  encode(value) {
    if (value instanceof NamedUuid) return ['named-uuid', value.name];
    return typeof value === 'string' ? ['uuid', value] : notTyped('a uuid', value);
  },
};

// biome-ignore lint/suspicious/noExplicitAny: what follows the tag is for the caller to know
function isTagged(value: unknown, tag: string): value is [string, any] {
  return Array.isArray(value) && value[0] === tag;
}

function notWire(expected: string, value: unknown): never {
  throw new ProtocolError(`Expected ${expected} and got ${show(value)}`);
}

function notTyped(expected: string, value: unknown): never {
  throw new TypeError(`expected ${expected} and got ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
}
