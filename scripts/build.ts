/**
 * Builds the functions into `dist/`, one image for all of them: `functions.cjs` is everything in one file,
 * `functions.cache` what V8 made of it, `index.mjs` starts from these two, `sbom.spdx.json` tells what is in them. Beside
 * them `ovn-handover.mjs`, the command line.
 */
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type BuildOptions, build } from 'esbuild';
import { spdxOf } from './image/sbom.ts';
import { sourceDate } from './image/source-date.ts';

const options: BuildOptions = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['ovn-handover-source'],
  logLevel: 'warning',
};

await rm('dist', { recursive: true, force: true });
await build({
  ...options,
  entryPoints: { index: 'functions/index.ts' },
  format: 'esm',
  outExtension: { '.js': '.mjs' },
});
await build({
  ...options,
  entryPoints: { functions: 'functions/main.ts' },
  // V8 keeps a code cache of scripts, and an ES module is none.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  minify: true,
  // A stack stays readable.
  keepNames: true,
});
const lock = JSON.parse(await readFile('package-lock.json', 'utf8'));
await writeFile('dist/sbom.spdx.json', JSON.stringify(spdxOf(lock, await sourceDate('.')), undefined, 1));
execFileSync(process.execPath, ['scripts/build-cli.mjs'], { stdio: 'inherit' });
// V8 orders much by hashes, whose seed it draws: with one given, the same bundle gets the same cache. It takes it without, too.
const SAME_HASHES = '--random-seed=1';
execFileSync(process.execPath, [SAME_HASHES, 'scripts/rehearse.ts'], { stdio: ['ignore', 'inherit', 'inherit'] });

for (const file of await readdir('dist')) {
  console.log(`dist/${file} ${Math.ceil((await stat(`dist/${file}`)).size / 1024)} KiB`);
}
