/** A uuid on the wire (RFC 7047 section 5.1). */
export type WireUuid = readonly ['uuid', string];
/** A reference to a row inserted by the same transaction under that `uuid-name`. */
export type WireNamedUuid = readonly ['named-uuid', string];
/** Integers beyond ±2^53 are bigint. */
export type WireAtom = string | number | bigint | boolean | WireUuid | WireNamedUuid;
export type WireSet = readonly ['set', readonly WireAtom[]];
export type WireMap = readonly ['map', readonly (readonly [WireAtom, WireAtom])[]];
/** A set of exactly one is written as its element. */
export type WireValue = WireAtom | WireSet | WireMap;
export interface WireRow {
  readonly [column: string]: WireValue;
}
export type WireCondition = readonly [
  column: string,
  test: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes',
  value: WireValue,
];
export type WireMutation = readonly [
  column: string,
  mutator: '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete',
  value: WireValue,
];
