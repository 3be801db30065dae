/**
 * A uuid on the wire (RFC 7047 section 5.1).
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const id: WireUuid = ['uuid', 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d'];
 * ```
 */
export type WireUuid = readonly ['uuid', string];
/**
 * A reference to a row inserted by the same transaction under that `uuid-name`.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const ref: WireNamedUuid = ['named-uuid', 'port'];
 * ```
 */
export type WireNamedUuid = readonly ['named-uuid', string];
/**
 * An element on the wire. Integers beyond ±2^53 are bigint.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const atoms: WireAtom[] = ['text', 1.5, 2n ** 62n, true, ['named-uuid', 'port']];
 * ```
 */
export type WireAtom = string | number | bigint | boolean | WireUuid | WireNamedUuid;
/**
 * A set on the wire; one of exactly one element may stand without its tag.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const tags: WireSet = ['set', ['red', 'green']];
 * ```
 */
export type WireSet = readonly ['set', readonly WireAtom[]];
/**
 * A map on the wire.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const labels: WireMap = ['map', [['owner', 'me']]];
 * ```
 */
export type WireMap = readonly ['map', readonly (readonly [WireAtom, WireAtom])[]];
/**
 * A set of exactly one is written as its element.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const values: WireValue[] = ['alone', ['set', []], ['map', []]];
 * ```
 */
export type WireValue = WireAtom | WireSet | WireMap;
/**
 * A row on the wire, by column.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const row: WireRow = { name: 'vm1', up: true, addresses: ['set', ['dynamic']] };
 * ```
 */
export interface WireRow {
  readonly [column: string]: WireValue;
}
/**
 * One clause of a `where`.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const clause: WireCondition = ['name', '==', 'vm1'];
 * ```
 */
export type WireCondition = readonly [
  column: string,
  test: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes',
  value: WireValue,
];
/**
 * One change of a `mutate`.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const mutation: WireMutation = ['nb_cfg', '+=', 1];
 * ```
 */
export type WireMutation = readonly [
  column: string,
  mutator: '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete',
  value: WireValue,
];
