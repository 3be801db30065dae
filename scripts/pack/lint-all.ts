/** Both packages as they would be published, without publishing: what CI looks at. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { lint } from './lint.ts';
import { PACKAGES, pack } from './package.ts';

const folder = mkdtempSync(join(tmpdir(), 'pack-'));
try {
  for (const directory of PACKAGES) {
    const problems = await lint(directory, pack(directory, folder));
    console.log(`${basename(directory)}: ${problems.join('\n') || 'nothing to say'}`);
    if (problems.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
