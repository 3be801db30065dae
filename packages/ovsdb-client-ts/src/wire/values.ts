import { ProtocolError } from '../errors.ts';
import type { WireAtom, WireMap, WireNamedUuid, WireSet, WireUuid, WireValue } from './types.ts';

/**
 * Writes the uuid of a row.
 *
 * @throws Nothing.
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * uuid('c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d'); // => ['uuid', 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d']
 * ```
 */
export function uuid(id: string): WireUuid {
  return ['uuid', id];
}

/**
 * Writes a reference to the insert with that `uuid-name`.
 *
 * @throws Nothing.
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * namedUuid('port'); // => ['named-uuid', 'port']
 * ```
 */
export function namedUuid(name: string): WireNamedUuid {
  return ['named-uuid', name];
}

/**
 * Writes a set; the order does not matter, an element twice is rejected by the server.
 *
 * @throws Nothing.
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * toWireSet(['red', 'green']); // => ['set', ['red', 'green']]
 * ```
 */
export function toWireSet(values: Iterable<WireAtom>): WireSet {
  return ['set', [...values]];
}

/**
 * Writes a map from a plain object, or from a Map where keys are not strings.
 *
 * @throws Nothing.
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * toWireMap({ owner: 'me' }); // => ['map', [['owner', 'me']]]
 * ```
 */
export function toWireMap(entries: Readonly<Record<string, WireAtom>> | ReadonlyMap<WireAtom, WireAtom>): WireMap {
  return ['map', entries instanceof Map ? [...entries] : Object.entries(entries)];
}

/**
 * Reads the elements of a set, also of the bare element that stands for a set of one; uuids as plain strings.
 *
 * @throws Nothing.
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * fromWireSet('alone'); // => ['alone']
 * fromWireSet(['set', []]); // => []
 * ```
 */
export function fromWireSet<T extends Atom = string>(value: WireValue): T[] {
  const elements = isTagged(value, 'set') ? value[1] : [value as WireAtom];
  return elements.map((element) => fromAtom(element) as T);
}

/**
 * Reads a map; uuids become plain strings.
 *
 * @throws ProtocolError if the value is not a map
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * fromWireMap(['map', [['owner', 'me']]]); // => new Map([['owner', 'me']])
 * ```
 */
export function fromWireMap<K extends Atom = string, V extends Atom = string>(value: WireValue): Map<K, V> {
  if (!isTagged(value, 'map')) throw new ProtocolError(`Expected ["map", …] and got ${show(value)}`);
  return new Map(value[1].map(([key, element]) => [fromAtom(key) as K, fromAtom(element) as V]));
}

/**
 * Reads a uuid as plain string.
 *
 * @throws ProtocolError if the value is not a uuid
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * fromWireUuid(['uuid', 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d']); // => 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d'
 * ```
 */
export function fromWireUuid(value: WireValue): string {
  if (!isTagged(value, 'uuid')) throw new ProtocolError(`Expected ["uuid", …] and got ${show(value)}`);
  return value[1];
}

type Atom = string | number | bigint | boolean;

function fromAtom(atom: WireAtom): Atom {
  return Array.isArray(atom) ? atom[1] : (atom as Atom);
}

function isTagged<T extends string>(value: unknown, tag: T): value is Extract<WireValue, readonly [T, unknown]> {
  return Array.isArray(value) && value[0] === tag;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item));
}
