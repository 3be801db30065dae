import type { DatabaseSchema } from '../schema/schema.ts';
import type { NamedUuid, Uuid } from './uuid.ts';

declare const tables: unique symbol;

/**
 * A schema at run time that carries the types of its tables.
 *
 * @see [RFC 7047, section 3.2](https://www.rfc-editor.org/rfc/rfc7047#section-3.2)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * const northbound: TypedSchema<OVNNorthbound> = schema;
 * northbound.name; // => 'OVN_Northbound'
 * ```
 */
export interface TypedSchema<T> extends DatabaseSchema {
  readonly [tables]?: T;
}

/** An element as it may be written: rows of the same transaction may stand in for uuids. */
export type InputAtom<T> = T extends Uuid<infer Table> ? T | NamedUuid<Table> : T;

/**
 * A value as it may be written: maps with string keys may be plain objects.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const asObject: InputOf<ReadonlyMap<string, string>> = { owner: 'me' };
 * const asMap: InputOf<ReadonlyMap<string, string>> = new Map([['owner', 'me']]);
 * ```
 */
export type InputOf<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<InputAtom<K>, InputAtom<V>> | (K extends string ? { readonly [key in K]?: InputAtom<V> } : never)
    : T extends readonly (infer E)[]
      ? readonly InputAtom<E>[]
      : InputAtom<T>;

/**
 * Columns for a new row; those left out get their empty value.
 *
 * @see [RFC 7047, section 5.2.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.1)
 *
 * @example
 * ```ts
 * import type { LogicalSwitch } from 'ovsdb-client-ts/ovn-nb';
 * const row: InsertOf<LogicalSwitch> = { name: 'net1', external_ids: { owner: 'me' } };
 * ```
 */
export type InsertOf<Row> = { readonly [C in Exclude<keyof Row, '_uuid' | '_version'>]?: InputOf<Row[C]> };

/**
 * Columns to overwrite; `undefined` empties an optional one.
 *
 * @see [RFC 7047, section 5.2.3](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.3)
 *
 * @example
 * ```ts
 * import type { LogicalSwitch } from 'ovsdb-client-ts/ovn-nb';
 * const change: UpdateOf<LogicalSwitch, 'name'> = { other_config: { subnet: '10.0.0.0/24' }, copp: undefined };
 * ```
 */
export type UpdateOf<Row, Immutable extends keyof Row = never> = {
  readonly [C in Exclude<keyof Row, '_uuid' | '_version' | Immutable>]?: InputOf<Row[C]>;
};

type Equality = '==' | '!=' | 'includes' | 'excludes';
type Order = '<' | '<=' | '>' | '>=';
type Numeric = number | bigint;

/**
 * One clause of a `where` (RFC 7047 section 5.1, `<condition>`); all must hold.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * import type { LogicalSwitchPort } from 'ovsdb-client-ts/ovn-nb';
 * const ofRouters: Condition<LogicalSwitchPort> = ['type', '==', 'router'];
 * const tagged: Condition<LogicalSwitchPort> = ['tag', '>=', 100];
 * ```
 */
export type Condition<Row> = {
  [C in keyof Row & string]: readonly [
    column: C,
    test: NonNullable<Row[C]> extends Numeric ? Equality | Order : Equality,
    value: InputOf<Row[C]>,
  ];
}[keyof Row & string];

/**
 * One change of a `mutate` (RFC 7047 section 5.1, `<mutation>`).
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * import type { LogicalSwitchUpdate } from 'ovsdb-client-ts/ovn-nb';
 * const add: Mutation<LogicalSwitchUpdate> = ['external_ids', 'insert', { owner: 'me' }];
 * const remove: Mutation<LogicalSwitchUpdate> = ['external_ids', 'delete', ['owner']];
 * ```
 */
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
