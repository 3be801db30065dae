/**
 * Builds the functions into `dist/`, one image for all of them: `functions.cjs` is everything in one file,
 * `functions.cache` what V8 made of it, `index.mjs` starts from these two. Beside them `ovn-handover.mjs`, the command line.
 */
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const options: BuildOptions = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['ovn-handover-source'],
  logLevel: 'warning',
};

/** faas-js-runtime counts an error only where a handler throws; ours answer 503, which is one all the same. */
const errorsByStatus: Plugin = {
  name: 'errors by status',
  setup({ onLoad }) {
    onLoad({ filter: /faas-js-runtime\/lib\/metrics\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const [counted, onStatus] = [
        "fastify.addHook('onError', (req, res, done) => {",
        "fastify.addHook('onResponse', (req, res, done) => { if (res.statusCode < 500) return done();",
      ];
      if (!source.includes(counted)) throw new Error(`${path} counts errors in another way than this build changes`);
      return { contents: source.replace(counted, onStatus), loader: 'js' };
    });
  },
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
  // faas-js-runtime tells a CloudEvent by the name of its class; and a stack stays readable.
  keepNames: true,
  // faas-js-runtime's metrics.js assigns to a variable that it never declares, an error in strict code.
  plugins: [errorsByStatus],
  banner: { js: 'globalThis.osu = undefined;' },
});
execFileSync(process.execPath, ['scripts/build-cli.mjs'], { stdio: 'inherit' });
execFileSync(process.execPath, ['scripts/rehearse.ts'], { stdio: ['ignore', 'inherit', 'inherit'] });

for (const file of await readdir('dist')) {
  console.log(`dist/${file} ${Math.ceil((await stat(`dist/${file}`)).size / 1024)} KiB`);
}
