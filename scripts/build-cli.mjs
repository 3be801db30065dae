/**
 * Builds the command line into one file that needs nothing but Node.js, also for a PATH on which kubectl finds it. It runs at
 * each `npm install`, by whichever Node.js there is, and so is no TypeScript.
 */
import { chmod } from 'node:fs/promises';

const FILE = 'dist/ovn-handover.mjs';

const esbuild = await import('esbuild').catch((error) => {
  // Without what is for development there is nothing to build with.
  if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
  throw error;
});
if (esbuild) {
  await esbuild.build({
    entryPoints: ['cli/main.ts'],
    outfile: FILE,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What an older Node.js can read to the end, so that it can say what it needs.
    target: 'node20',
    conditions: ['ovn-handover-source'],
    // Some of what is bundled is CommonJS, and asks for modules of Node.js by require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  await chmod(FILE, 0o755);
}
