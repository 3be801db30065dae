import { readFileSync } from 'node:fs';

/** The commands that a page gives its readers: its code blocks of shell. */
export function commandsIn(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands!);
}
