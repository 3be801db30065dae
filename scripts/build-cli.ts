/** Builds the command line into one file that needs nothing but Node.js, also for a PATH on which kubectl finds it. */
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

const FILE = 'dist/ovn-handover.mjs';

await build({
  entryPoints: ['cli/main.ts'],
  outfile: FILE,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // What an older Node.js can read it to the end of, so that it can say what it needs.
  target: 'node20',
  conditions: ['source'],
  // Some of what is bundled is CommonJS, and asks for modules of Node.js by require.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
await chmod(FILE, 0o755);
