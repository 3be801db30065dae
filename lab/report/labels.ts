/** Widths are those of a wide font (DejaVu Sans), so that what fits here fits wherever the page is opened. */
const EM_PER_CHARACTER = 0.62;
const EM_PER_BOLD_CHARACTER = 0.7;
const GAP = 8;
const MOST_ROWS = 8;

/** Width that a text takes at most, px. */
export function widthOf(text: string, fontSize: number, { bold = false } = {}): number {
  return text.length * (bold ? EM_PER_BOLD_CHARACTER : EM_PER_CHARACTER) * fontSize;
}

/** The first of the texts that fits into `width`, if any does. */
export function fitting(texts: readonly string[], width: number, fontSize: number): string | undefined {
  return texts.find((text) => widthOf(text, fontSize) + GAP <= width);
}

export interface Placed<T> {
  readonly item: T;
  /** Rows from the top, counted from 0. */
  readonly row: number;
  /** Whether the text begins or ends at its place. */
  readonly anchor: 'start' | 'end';
}

interface Text<T> {
  readonly item: T;
  readonly anchor: 'start' | 'end';
  readonly from: number;
  readonly to: number;
}

/**
 * Puts texts at their places in as few rows as it takes for none to touch another or leave `right`. A stroke from the
 * top leads down to each, and crosses no text if that can be: so a text that must give way goes below the one on its
 * right, and one that had to be turned to the left goes below those.
 */
export function placeInRows<T extends { readonly x: number; readonly text: string }>(
  items: readonly T[],
  { fontSize, right }: { fontSize: number; right: number },
): Placed<T>[] {
  const texts = items.map((item): Text<T> => {
    const width = widthOf(item.text, fontSize) + GAP;
    return item.x + width > right
      ? { item, anchor: 'end', from: item.x - width, to: item.x }
      : { item, anchor: 'start', from: item.x, to: item.x + width };
  });
  const inOrder = [
    ...texts.filter(({ anchor }) => anchor === 'start').sort((a, b) => b.from - a.from),
    ...texts.filter(({ anchor }) => anchor === 'end').sort((a, b) => a.to - b.to),
  ];
  const placed: (Text<T> & { row: number })[] = [];
  for (const text of inOrder) {
    const rows = [...Array(MOST_ROWS + items.length).keys()];
    const free = rows.filter((row) => !placed.some((other) => other.row === row && touches(text, other)));
    const clear = free.find(
      (row) =>
        !placed.some((other) => (row > other.row && strikes(text, other)) || (other.row > row && strikes(other, text))),
    );
    placed.push({ ...text, row: clear ?? free[0]! });
  }
  return placed.map(({ item, row, anchor }) => ({ item, row, anchor }));
}

function touches(a: Text<unknown>, b: Text<unknown>): boolean {
  return a.from < b.to && b.from < a.to;
}

/** Whether the stroke that leads to `a` goes through `b`. */
function strikes(a: Text<{ readonly x: number }>, b: Text<unknown>): boolean {
  return a.item.x > b.from && a.item.x < b.to;
}
