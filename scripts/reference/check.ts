/**
 * Whether the API reference of packages says of every public name what it is, with an example, the errors, the units and the
 * source of its rules. `typedoc` itself writes the reference: `npm run reference` in a package.
 */
import { basename } from 'node:path';
import { run } from '../pack/package.ts';
import { publicNames } from './public-names.ts';

for (const directory of process.argv.slice(2)) {
  const names = await publicNames(directory);
  const incomplete = names.filter(({ missing }) => missing.length > 0);
  for (const { name, missing } of incomplete) console.log(`${basename(directory)} ${name} lacks ${missing.join(', ')}`);
  console.log(
    `${basename(directory)}: ${names.length - incomplete.length} of ${names.length} public names are complete`,
  );
  if (incomplete.length > 0) process.exitCode = 1;
  // Warnings, such as of a broken link, are errors for it.
  run('typedoc', ['--emit', 'none'], directory);
}
