import { escaped } from './canvas.ts';

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly (string | Html)[];

/** Template tag: what is put in is escaped unless it is HTML itself; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(
    strings.map((string, index) => string + (index < values.length ? asHtml(values[index]!) : '')).join(''),
  );
}

function asHtml(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(asHtml).join('');
  return escaped(String(value));
}
