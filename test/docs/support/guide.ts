import { readFileSync } from 'node:fs';

/** What the guide has its reader type: each fenced block without a language, in the order of the guide. */
export function shellBlocks(): readonly string[] {
  const text = readFileSync('docs/guide.md', 'utf8');
  const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)];
  return blocks.filter(([, language]) => language === '').map(([, , body]) => body!.replaceAll(/^ +/gm, ''));
}

/** The arguments of each `npx ovn-handover` in it, also where it is in another command. */
export function cliCommands(): readonly (readonly string[])[] {
  return shellBlocks()
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => [...line.matchAll(/npx ovn-handover ([^)\n]*)/g)].map(([, args]) => args!.trim().split(/\s+/)));
}

/** The anchors that a page's headings make, as GitHub has them. */
export function anchorsOf(file: string): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
