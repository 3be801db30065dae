/**
 * A database schema as RFC 7047 section 3.2 writes it, with the members that a client needs.
 *
 * @see [RFC 7047, section 3.2](https://www.rfc-editor.org/rfc/rfc7047#section-3.2)
 *
 * @example
 * ```ts
 * const columns = { name: { type: 'string' }, size: { type: { key: 'integer', min: 0 } } } as const;
 * const schema: DatabaseSchema = {
 *   name: 'Inventory',
 *   version: '1.0.0',
 *   tables: { Box: { columns, indexes: [['name']] } },
 * };
 * ```
 */
export interface DatabaseSchema {
  readonly name: string;
  readonly version: string;
  readonly tables: Readonly<Record<string, TableSchema>>;
}

export interface TableSchema {
  readonly columns: Readonly<Record<string, ColumnSchema>>;
  /** Sets of columns of which no two rows have the same values. */
  readonly indexes?: readonly (readonly string[])[];
}

export interface ColumnSchema {
  readonly type: ColumnType;
  /** @default true */
  readonly mutable?: boolean;
}

export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

export type ColumnType =
  | AtomType
  | {
      readonly key: AtomType | BaseType;
      readonly value?: AtomType | BaseType;
      /** @default 1 */
      readonly min?: number;
      /** @default 1 */
      readonly max?: number | 'unlimited';
    };

export interface BaseType {
  readonly type: AtomType;
  readonly enum?: unknown;
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

/** How a column's values look in TypeScript. */
export type Shape =
  | { readonly kind: 'scalar' | 'optional' | 'set'; readonly key: BaseType }
  | { readonly kind: 'map'; readonly key: BaseType; readonly value: BaseType };

/** The two columns that every row has and no schema lists (RFC 7047 section 3.2). */
export const IMPLICIT_COLUMNS: Readonly<Record<string, ColumnSchema>> = {
  _uuid: { type: 'uuid', mutable: false },
  _version: { type: 'uuid', mutable: false },
};

export function shapeOf(type: ColumnType): Shape {
  if (typeof type === 'string') return { kind: 'scalar', key: { type } };
  const key = toBaseType(type.key);
  if (type.value !== undefined) return { kind: 'map', key, value: toBaseType(type.value) };
  if ((type.max ?? 1) !== 1) return { kind: 'set', key };
  return { kind: type.min === 0 ? 'optional' : 'scalar', key };
}

/** Whether every allowed integer is exact as a number. Otherwise the column is bigint in TypeScript. */
export function fitsNumber({ enum: allowed, minInteger, maxInteger }: BaseType): boolean {
  if (allowed !== undefined) return enumValues(allowed).every(Number.isSafeInteger);
  return Number.isSafeInteger(minInteger) && Number.isSafeInteger(maxInteger);
}

/** The values of an `<enum>`, which is a set on the wire: one alone stands bare. */
export function enumValues(wireEnum: unknown): unknown[] {
  return Array.isArray(wireEnum) && wireEnum[0] === 'set' ? wireEnum[1] : [wireEnum];
}

function toBaseType(type: AtomType | BaseType): BaseType {
  return typeof type === 'string' ? { type } : type;
}
