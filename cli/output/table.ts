import { type Colour, paint, type Terminal } from './terminal.ts';
import { beside, widthOf, wrap } from './wrap.ts';

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

const GAP = '  ';
/** A column is not made narrower than this, or than its heading: names would be in shreds. */
const MIN_WIDTH = 12;
/** Stands for nothing in a column. */
export const NOTHING = '-';

/**
 * Rows in columns under their headings, as wide as the terminal at most: what does not fit goes on in the next line. Where
 * there is no room for so many columns each row is a block of its own, a line for each cell that says something.
 */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], terminal: Terminal): string {
  const widths = columnWidths(headings, rows, terminal.columns);
  if (widths === undefined) return rows.map((row) => block(headings, row, terminal)).join('\n');
  const head = line(
    headings.map((text) => ({ text, colour: 'bold' as const })),
    widths,
    terminal,
  );
  return [head, ...rows.flatMap((row) => lines(row, widths, terminal))].join('\n');
}

/** @returns `undefined` where they do not fit */
function columnWidths(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number,
): number[] | undefined {
  const widths = headings.map((heading, index) =>
    Math.max(widthOf(heading), ...rows.map((row) => widest(row[index]!))),
  );
  const least = headings.map((heading) => Math.max(MIN_WIDTH, widthOf(heading)));
  const room = columns - GAP.length * (headings.length - 1);
  for (let over = sum(widths) - room; over > 0; over--) {
    const shrinkable = widths.map((width, index) => (width > least[index]! ? width : 0));
    const largest = Math.max(...shrinkable);
    if (largest === 0) return undefined;
    widths[shrinkable.indexOf(largest)]! -= 1;
  }
  return widths;
}

/** The first cell is its title; a row that goes on with the one before has none. */
function block(headings: readonly string[], [title, ...cells]: readonly Cell[], terminal: Terminal): string {
  const width = Math.max(...headings.slice(1).map(widthOf));
  const said = cells.flatMap(({ text, colour }, index) => {
    if (text === '' || text === NOTHING) return [];
    const shown = beside(`  ${headings[index + 1]!.padEnd(width)}  `, text, terminal.columns);
    return [colour ? shown.replace(text, () => paint(terminal, colour, text)) : shown];
  });
  const head =
    title!.text === '' ? [] : wrap(title!.text, terminal.columns).map((part) => paint(terminal, 'bold', part));
  return [...head, ...said].join('\n');
}

function lines(row: readonly Cell[], widths: readonly number[], terminal: Terminal): string[] {
  const cells = row.map(({ text, colour }, index) =>
    wrap(text, widths[index]!).map((part) => ({ text: part, colour })),
  );
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, at) =>
    line(
      cells.map((parts) => parts[at] ?? { text: '' }),
      widths,
      terminal,
    ),
  );
}

function line(cells: readonly Cell[], widths: readonly number[], terminal: Terminal): string {
  const last = cells.findLastIndex(({ text }) => text !== '');
  return cells
    .slice(0, last + 1)
    .map(({ text, colour }, index) => {
      const padding = index === last ? '' : ' '.repeat(Math.max(0, widths[index]! - widthOf(text)));
      return (colour ? paint(terminal, colour, text) : text) + padding;
    })
    .join(GAP);
}

function widest({ text }: Cell): number {
  return Math.max(...text.split('\n').map(widthOf));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
