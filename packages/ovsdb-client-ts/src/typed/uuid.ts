declare const table: unique symbol;

/** The uuid of a row of that table. A string that you know to be one may be cast to it. */
export type Uuid<Table extends string = string> = string & { readonly [table]: Table };

/** Stands for the uuid of a row that the same transaction inserts (RFC 7047 section 5.1, `<named-uuid>`). */
export class NamedUuid<Table extends string = string> {
  declare readonly [table]: Table;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
