/** How the built functions start: from the code that V8 compiled when they were built, not from their source. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { constants, Script } from 'node:vm';

const BUNDLE = 'functions.cjs';
/** V8's compiled code of the bundle. Node's own compile cache would not do: it belongs to one user id, and images run under any. */
export const CODE_CACHE = 'functions.cache';

/** Compiles the bundle in `directory`, or takes its code from the cache beside it. */
export function compileBundle(directory: string): Script {
  const filename = join(directory, BUNDLE);
  const cache = join(directory, CODE_CACHE);
  const script = new Script(`(function (require, module, exports, __filename, __dirname) {${readAscii(filename)}\n})`, {
    // It is in the cache, which is to be the same wherever it is built.
    filename: BUNDLE,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(existsSync(cache) && { cachedData: readFileSync(cache) }),
  });
  if (script.cachedDataRejected) {
    console.error(
      `${cache} is of another Node.js or other V8 flags: the function starts slowly until it is built again`,
    );
  }
  return script;
}

/** Runs the bundle as the CommonJS module that it is. */
export function runBundle(script: Script, directory: string): void {
  const filename = join(directory, BUNDLE);
  const module = { exports: {} };
  script.runInThisContext()(createRequire(filename), module, module.exports, filename, directory);
}

/** esbuild escapes what is not ASCII, and this way V8 needs one byte for each character. */
function readAscii(file: string): string {
  return readFileSync(file, 'latin1');
}
