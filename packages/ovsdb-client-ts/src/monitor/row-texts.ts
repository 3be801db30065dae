/** By table, then by uuid: rows as the JSON that the server sent. */
export type RowTexts = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Whole contents, of which no row has been parsed yet. */
export class UnparsedContents {
  /** The last transaction included. */
  readonly lastId: string;
  readonly tables: RowTexts;

  constructor(lastId: string, tables: RowTexts) {
    this.lastId = lastId;
    this.tables = tables;
  }
}

const HEAD = /\[false,"([0-9a-f-]{36})",\{/y;
const TABLE = /"([A-Za-z_][A-Za-z0-9_]*)":\{/y;
const ROW = /("[0-9a-f-]{36}"):\{"initial":/y;
/** Of the row, and of the object that it is in. */
const ROW_END = '}}';

/**
 * Cuts the result of monitor_cond_since into rows without parsing them: for a long table, that and the garbage of it
 * cost more than all else that a client does. Undefined when the text is not written as ovsdb-server does, without
 * spaces, or has no whole contents; then it is to be parsed.
 */
export function cutContents(text: string, from: number, end: number): UnparsedContents | undefined {
  const head = match(HEAD, text, from);
  if (head === undefined) return undefined;
  const tables = new Map<string, ReadonlyMap<string, string>>();
  let at = head.end;
  while (text[at] !== '}') {
    const table = match(TABLE, text, at);
    const rows = table && cutRows(text, table.end, end);
    if (rows === undefined) return undefined;
    tables.set(table!.found, rows.found);
    at = rows.end;
    if (text[at] === ',') at++;
  }
  return text.startsWith('}]', at) && at + 2 === end ? new UnparsedContents(head.found, tables) : undefined;
}

interface Found<T> {
  readonly found: T;
  readonly end: number;
}

function cutRows(text: string, from: number, end: number): Found<ReadonlyMap<string, string>> | undefined {
  const rows = new Map<string, string>();
  let id = match(ROW, text, from);
  while (id !== undefined) {
    const row = endOfRow(text, id.end, end);
    if (row === undefined) return undefined;
    // A copy of the uuid: as a part of the text it would hold on to all of it for as long as the row is there.
    rows.set(JSON.parse(id.found), text.slice(id.end, row.end));
    if (row.next === undefined) return { found: rows, end: row.end + 2 };
    id = row.next;
  }
  return undefined;
}

/**
 * The position after a row, and the row that follows. Values have no objects in them, so two braces close a row, unless
 * they are part of a string. A string does not go on with a bare quote, and after its own come no letters: what follows
 * the braces tells.
 */
function endOfRow(
  text: string,
  from: number,
  end: number,
): { end: number; next: Found<string> | undefined } | undefined {
  for (let at = text.indexOf(ROW_END, from); at >= 0; at = text.indexOf(ROW_END, at + 1)) {
    const next = text[at + 2] === ',' ? match(ROW, text, at + 3) : undefined;
    if (next !== undefined || isLast(text, at + 2, end)) return { end: at + 1, next };
  }
  return undefined;
}

/** Whether the table ends here, and after it comes another one or nothing. */
function isLast(text: string, at: number, end: number): boolean {
  if (text[at] !== '}') return false;
  if (text[at + 1] === ',') return match(TABLE, text, at + 2) !== undefined;
  return text.startsWith('}]', at + 1) && at + 3 === end;
}

function match(pattern: RegExp, text: string, at: number): Found<string> | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? undefined : { found: found[1]!, end: pattern.lastIndex };
}
