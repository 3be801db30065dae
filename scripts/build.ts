/**
 * Bundles the functions into `dist/`: one image for all of them, and a cold start that reads few files. The Kubernetes
 * client becomes a chunk of its own: it loads while the server starts to listen.
 */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { index: 'functions/main.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  conditions: ['source'],
  // faas-js-runtime tells a CloudEvent by the name of its class.
  keepNames: true,
  sourcemap: 'linked',
  banner: {
    js: [
      // CommonJS modules in an ESM bundle still ask for Node's own modules by require.
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      // faas-js-runtime's metrics.js assigns to a variable that it never declares, an error in an ES module.
      'globalThis.osu = undefined;',
    ].join('\n'),
  },
  logLevel: 'warning',
});
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  if (file.endsWith('.mjs')) console.log(`${file} ${Math.round(bytes / 1024)} KiB`);
}
