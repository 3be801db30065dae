import type { RowOf, TableName } from './operations.ts';
import type { Condition } from './types.ts';
import type { Uuid } from './uuid.ts';

/**
 * Rows that match one of the clauses; `true` stands for all rows and `false` for none, like an empty list for all.
 *
 * @see [ovsdb-server(7), section 4.1.12](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * const where: CacheCondition<OVNNorthbound, 'Logical_Switch_Port'> = [
 *   ['type', '==', 'router'],
 *   ['up', '==', true],
 * ];
 * ```
 */
export type CacheCondition<T, N extends keyof T> = readonly (Condition<RowOf<T, N>> | boolean)[];

/**
 * Which tables to hold; of each all columns and rows unless said otherwise.
 *
 * @see [RFC 7047, section 4.1.5](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.5)
 *
 * @example
 * ```ts
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * const tables: CacheTables<OVNNorthbound> = {
 *   DNS: {},
 *   Logical_Switch: { columns: ['name'], where: [['name', '==', 'net1']] },
 * };
 * ```
 */
export type CacheTables<T> = {
  readonly [N in TableName<T>]?: {
    readonly columns?: readonly (keyof RowOf<T, N> & string)[];
    readonly where?: CacheCondition<T, N>;
  };
};

/**
 * The rows of a table as a cache holds them: with the columns that were asked for.
 *
 * @see [RFC 7047, section 3.2](https://www.rfc-editor.org/rfc/rfc7047#section-3.2)
 *
 * @example
 * ```ts
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * type Tables = { Logical_Switch: { readonly columns: readonly ['name'] } };
 * const show = ({ name }: CachedRow<OVNNorthbound, Tables, 'Logical_Switch'>) => name.toUpperCase();
 * show({ _uuid: 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d' as Uuid<'Logical_Switch'>, name: 'net1' }); // => 'NET1'
 * ```
 */
export type CachedRow<T, S, N extends keyof S> =
  N extends TableName<T>
    ? S[N] extends { readonly columns: readonly (infer C)[] }
      ? Pick<RowOf<T, N>, (C | '_uuid') & keyof RowOf<T, N>>
      : RowOf<T, N>
    : never;

/**
 * A row that came, went, or changed since this reader last looked.
 *
 * @see [ovsdb-server(7), section 4.1.14](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * import type { OVNNorthbound } from 'ovsdb-client-ts/ovn-nb';
 * type Tables = { DNS: { readonly columns: readonly ['records'] } };
 * const kindOf = ({ before, after }: RowChange<OVNNorthbound, Tables>) =>
 *   before === undefined ? 'insert' : after === undefined ? 'delete' : 'modify';
 * ```
 */
export type RowChange<T, S> = {
  [N in keyof S & string]: {
    readonly table: N;
    readonly uuid: Uuid<N>;
    /** Undefined for a new row. */
    readonly before: CachedRow<T, S, N> | undefined;
    /** Undefined for a deleted row. */
    readonly after: CachedRow<T, S, N> | undefined;
  };
}[keyof S & string];
