declare const table: unique symbol;

/**
 * The uuid of a row of that table. A string that you know to be one may be cast to it.
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * const id = 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d' as Uuid<'Logical_Switch'>;
 * id.length; // => 36
 * ```
 */
export type Uuid<Table extends string = string> = string & { readonly [table]: Table };

/**
 * Stands for the uuid of a row that the same transaction inserts (RFC 7047 section 5.1, `<named-uuid>`).
 *
 * @see [RFC 7047, section 5.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.1)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const port = nb.insert('Logical_Switch_Port', { name: 'an example' });
 * const ref: NamedUuid<'Logical_Switch_Port'> = port.ref;
 * const net = nb.insert('Logical_Switch', { ports: [ref] });
 * ```
 */
export class NamedUuid<Table extends string = string> {
  declare readonly [table]: Table;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
