import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './package.ts';

/** How TypeScript resolves modules, and the kind of module that goes with it. */
export const MODES = { nodenext: 'nodenext', bundler: 'esnext' } as const;

/** An empty folder with what `npm install` puts there. */
export function install(folder: string, type: 'module' | 'commonjs', packages: readonly string[]): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], folder);
}

/** Several compilers stand side by side under this name. */
export function compilerNamed(version: string): string {
  return `typescript-${version}@npm:typescript@${version}`;
}

/** Where a compiler puts what it makes of a folder. */
export function outputOf(folder: string, version: string, mode: keyof typeof MODES): string {
  return join(folder, `out-${version}-${mode}`);
}

/** Compiles all of a folder as strictly as a stranger may, declarations too. */
export function compile(folder: string, version: string, mode: keyof typeof MODES): void {
  const outDir = outputOf(folder, version, mode);
  const compilerOptions = {
    ...{ module: MODES[mode], moduleResolution: mode, target: 'es2022', types: ['node'], outDir },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  run(process.execPath, [`node_modules/typescript-${version}/lib/tsc.js`], folder);
}
