import type { PublicName } from './public-names.ts';

/** A program of all examples in the TSDoc of a package. What a comment says behind `// =>` has to be so. */
export function programOf(names: readonly PublicName[]): string {
  const imports = new Set(["import assert from 'node:assert/strict';"]);
  for (const [from, exported] of Map.groupBy(names, (one) => one.from)) {
    const imported = exported.map(({ name, isType }) => (isType ? `type ${name}` : name)).join(', ');
    imports.add(`import { ${imported} } from '${from}';`);
  }
  const blocks = names.flatMap(({ name, examples }) =>
    examples.map((code) => {
      for (const [line] of code.matchAll(/^import .*$/gm)) imports.add(line);
      const body = code
        .replace(/^import .*\n/gm, '')
        .replace(/^( *)(.+);\s+\/\/ => (.+)$/gm, '$1assert.deepEqual($2, $3);');
      return `// ${name}\n{\n${body}}\n`;
    }),
  );
  return `${[...imports].join('\n')}\n\n${blocks.join('')}`;
}
