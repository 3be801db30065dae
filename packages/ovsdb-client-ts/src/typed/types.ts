import type { DatabaseSchema } from '../schema/schema.ts';
import type { NamedUuid, Uuid } from './uuid.ts';

declare const tables: unique symbol;

/** A schema at run time that carries the types of its tables. */
export interface TypedSchema<T> extends DatabaseSchema {
  readonly [tables]?: T;
}

/** An element as it may be written: rows of the same transaction may stand in for uuids. */
export type InputAtom<T> = T extends Uuid<infer Table> ? T | NamedUuid<Table> : T;

/** A value as it may be written: maps with string keys may be plain objects. */
export type InputOf<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<InputAtom<K>, InputAtom<V>> | (K extends string ? { readonly [key in K]?: InputAtom<V> } : never)
    : T extends readonly (infer E)[]
      ? readonly InputAtom<E>[]
      : InputAtom<T>;

/** Columns for a new row; those left out get their empty value. */
export type InsertOf<Row> = { readonly [C in Exclude<keyof Row, '_uuid' | '_version'>]?: InputOf<Row[C]> };

/** Columns to overwrite; `undefined` empties an optional one. */
export type UpdateOf<Row, Immutable extends keyof Row = never> = {
  readonly [C in Exclude<keyof Row, '_uuid' | '_version' | Immutable>]?: InputOf<Row[C]>;
};

type Equality = '==' | '!=' | 'includes' | 'excludes';
type Order = '<' | '<=' | '>' | '>=';
type Numeric = number | bigint;

/** One clause of a `where` (RFC 7047 section 5.1, `<condition>`); all must hold. */
export type Condition<Row> = {
  [C in keyof Row & string]: readonly [
    column: C,
    test: NonNullable<Row[C]> extends Numeric ? Equality | Order : Equality,
    value: InputOf<Row[C]>,
  ];
}[keyof Row & string];

/** One change of a `mutate` (RFC 7047 section 5.1, `<mutation>`). */
export type Mutation<Update> = {
  [C in keyof Update & string]: MutationOf<C, NonNullable<Update[C]>>;
}[keyof Update & string];

type Arithmetic = '+=' | '-=' | '*=' | '/=' | '%=';

type MutationOf<C, T> = [T] extends [Numeric]
  ? readonly [column: C, mutator: Arithmetic, value: T]
  : [T] extends [readonly (infer E)[]]
    ? readonly [column: C, mutator: 'insert' | 'delete', value: T] | ArithmeticOnSet<C, E>
    : [T] extends [string | boolean | NamedUuid]
      ? never
      :
          | readonly [column: C, mutator: 'insert', value: T]
          | readonly [column: C, mutator: 'delete', value: T | MapKeys<T>];

type ArithmeticOnSet<C, E> = [E] extends [Numeric] ? readonly [column: C, mutator: Arithmetic, value: E] : never;
type MapKeys<T> = T extends ReadonlyMap<infer K, unknown> ? readonly K[] : never;
