import { type BaseType, type ColumnType, enumValues, shapeOf } from './schema.ts';

type Check = (value: unknown) => void;

/**
 * A check of what a column's type says beyond its kind: enumerations, ranges, lengths, and how many elements there may
 * be (RFC 7047 section 3.2). For values that are stored; those of conditions and mutations may be others.
 * @throws TypeError saying what is allowed
 */
export function makeLimitCheck(type: ColumnType): Check {
  const shape = shapeOf(type);
  const key = atomCheck(shape.key);
  switch (shape.kind) {
    case 'scalar':
      return key;
    case 'optional':
      return (value) => value !== undefined && key(value);
    case 'set': {
      const checkSize = sizeCheck(type);
      return (value) => {
        const elements = value as readonly unknown[];
        checkSize(elements.length);
        for (const element of elements) key(element);
      };
    }
    case 'map': {
      const checkSize = sizeCheck(type);
      const checkValue = atomCheck(shape.value);
      return (value) => {
        const entries = value instanceof Map ? [...value] : Object.entries(value as object);
        checkSize(entries.length);
        for (const [mapKey, mapValue] of entries) {
          key(mapKey);
          checkValue(mapValue);
        }
      };
    }
  }
}

function sizeCheck(type: ColumnType): (size: number) => void {
  const { min = 1, max = 1 } = typeof type === 'string' ? {} : type;
  return (size) => {
    if (size < min || (max !== 'unlimited' && size > max)) {
      throw new TypeError(`expected ${min} to ${max} elements and got ${size}`);
    }
  };
}

function atomCheck(base: BaseType): Check {
  const { type, minInteger, maxInteger, minReal, maxReal, minLength, maxLength } = base;
  if (base.enum !== undefined && type !== 'uuid') {
    const allowed = new Set(enumValues(base.enum).map(plain));
    return (value) => {
      if (!allowed.has(plain(value)))
        throw new TypeError(`expected one of ${[...allowed].join(', ')} and got ${value}`);
    };
  }
  if (type === 'integer') return rangeCheck(minInteger, maxInteger, (value) => value as number | bigint);
  if (type === 'real') return rangeCheck(minReal, maxReal, (value) => value as number);
  // The server counts characters, not UTF-16 units.
  if (type === 'string')
    return rangeCheck(minLength, maxLength, (value) => [...(value as string)].length, ' characters');
  return () => undefined;
}

function rangeCheck(
  min: number | bigint | undefined,
  max: number | bigint | undefined,
  measure: (value: unknown) => number | bigint,
  unit = '',
): Check {
  if (min === undefined && max === undefined) return () => undefined;
  return (value) => {
    const size = measure(value);
    if ((min !== undefined && size < min) || (max !== undefined && size > max)) {
      throw new TypeError(`expected ${min ?? 'anything'} to ${max ?? 'anything'}${unit} and got ${size}`);
    }
  };
}

/** 1 and 1n are the same to the server. */
function plain(value: unknown): string {
  return String(value);
}
