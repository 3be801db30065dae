import { stripVTControlCharacters } from 'node:util';

/** How many columns a text takes in a terminal. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Lines no wider than `width`: broken between words, or within one that is wider by itself. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const blanks = /^ */.exec(line)![0];
    const room = Math.max(width - blanks.length, 1);
    return wrapLine(line.slice(blanks.length), room).map((part) => `${blanks}${part}`);
  });
}

/** A text whose lines all begin with `prefix`. */
export function indent(text: string, prefix: string, columns: number): string {
  return wrap(text, columns - widthOf(prefix))
    .map((line) => `${prefix}${line}`.trimEnd())
    .join('\n');
}

/** A text as wide as the terminal at most. */
export function paragraph(text: string, columns: number): string {
  return indent(text, '', columns);
}

/** A label, and a text beside it that goes on under its own beginning. */
export function beside(label: string, text: string, columns: number): string {
  const [first = '', ...more] = wrap(text, columns - widthOf(label));
  return [`${label}${first}`, ...more.map((line) => `${' '.repeat(widthOf(label))}${line}`)].join('\n').trimEnd();
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = broken(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1)!;
  }
  return [...lines, line];
}

/** After a slash, comma, dot or dash where there is one, so that the parts of a name stay whole. */
function broken(word: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (widthOf(rest) > width) {
    const head = rest.slice(0, width);
    const at = Math.max(...['/', ',', '.', '-'].map((mark) => head.lastIndexOf(mark))) + 1;
    const length = at > width / 2 ? at : width;
    pieces.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return [...pieces, rest];
}
