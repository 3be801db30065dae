/**
 * Packs the package of the working directory, and uses the tarball in empty folders as a stranger would: ES modules, CommonJS,
 * TypeScript 5.5 to 6 with both kinds of module resolution, the oldest Node that it claims, and the examples of its README.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lint } from './lint.ts';
import { manifestOf, pack, run } from './package.ts';
import type { Surroundings, Trial } from './trial.ts';

/** By the types of Node that go with them. */
const COMPILERS = { '22.12.0': ['5.5'], '24': ['5.6', '5.7', '5.8', '5.9', '6.0'] };
const MODES = { nodenext: 'nodenext', bundler: 'esnext' } as const;
const NOWHERE: Surroundings = { env: {}, example: (program) => program, async [Symbol.asyncDispose]() {} };

const directory = process.cwd();
const { name, engines } = manifestOf(directory);
const oldest = engines.node.replace('>=', '');
const { trial } = (await import(pathToFileURL(join(directory, 'test/pack/trial.ts')).href)) as { trial: Trial };
const root = mkdtempSync(join(tmpdir(), `pack-${name}-`));
let failed = 0;

async function step<T>(what: string, action: () => T | Promise<T>): Promise<T | undefined> {
  try {
    const result = await action();
    console.log(`ok   ${what}`);
    return result;
  } catch (error) {
    failed++;
    console.log(`FAIL ${what}\n${(error as Error).message}`);
    return undefined;
  }
}

/** An empty folder with what `npm install` puts there. */
function install(folderName: string, type: 'module' | 'commonjs', ...packages: readonly string[]): string {
  const folder = join(root, folderName);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], folder);
  return folder;
}

function compile(folder: string, compiler: string, mode: keyof typeof MODES): void {
  const outDir = `out-${compiler}-${mode}`;
  const compilerOptions = {
    ...{ module: MODES[mode], moduleResolution: mode, target: 'es2022', types: ['node'], outDir },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  run(process.execPath, [`node_modules/typescript-${compiler}/lib/tsc.js`], folder);
}

function examplesIn(readme: string): { program: string; output: string }[] {
  const found = readFileSync(readme, 'utf8').matchAll(/```ts\n(.*?)```(?:\s+```text\n(.*?)```)?/gs);
  return [...found].map(([, program = '', output = '']) => ({ program, output }));
}

function expectOutput(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`expected:\n${expected}\ngot:\n${actual}`);
}

try {
  await using surroundings = (await trial.start?.()) ?? NOWHERE;
  const { env } = surroundings;
  const tarball = pack(directory, root);
  await step('publint, arethetypeswrong and npm publish --dry-run have nothing to say', async () => {
    const problems = await lint(directory, tarball);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  });

  const oldestNode = join(install('node', 'module', `node@${oldest}`), 'node_modules/node/bin/node');
  const results: string[] = [];
  for (const [types, compilers] of Object.entries(COMPILERS)) {
    const aliases = compilers.map((version) => `typescript-${version}@npm:typescript@${version}`);
    const folder = install(
      `types-${types}`,
      'module',
      tarball,
      ...trial.dependencies,
      `@types/node@${types}`,
      ...aliases,
    );
    const examples = examplesIn(join(folder, 'node_modules', name, 'README.md'));
    for (const [index, { program }] of examples.entries()) {
      writeFileSync(join(folder, `readme-${index + 1}.ts`), surroundings.example(program));
    }
    cpSync(join(directory, 'test/pack/use.ts'), join(folder, 'use.ts'));
    await step('a command of the package prepares the folder', () => trial.prepare?.(folder));
    for (const compiler of compilers) {
      for (const mode of ['nodenext', 'bundler'] as const) {
        await step(`TypeScript ${compiler} compiles use.ts and the README in mode ${mode}`, () =>
          compile(folder, compiler, mode),
        );
      }
    }
    const [compiler] = compilers;
    for (const [version, node] of [
      [process.version, process.execPath],
      [`v${oldest}`, oldestNode],
    ] as const) {
      await step(`use.ts runs as an ES module with Node ${version}`, () => {
        results.push(run(node, [`out-${compiler}-bundler/use.js`], folder, env));
      });
    }
    if (types === '22.12.0') continue;
    for (const [index, { output }] of examples.entries()) {
      await step(`example ${index + 1} of the README prints what it says`, () =>
        expectOutput(run(process.execPath, [`out-${compiler}-nodenext/readme-${index + 1}.js`], folder, env), output),
      );
    }
  }
  await step('use.ts said the same each time', () => {
    for (const result of results) expectOutput(result, results[0]!);
  });

  const common = install('commonjs', 'commonjs', tarball, ...trial.dependencies);
  cpSync(join(directory, 'test/pack/use.cjs'), join(common, 'use.cjs'));
  for (const [version, command] of [
    [process.version, process.execPath],
    [`v${oldest}`, oldestNode],
  ] as const) {
    await step(`use.cjs runs as CommonJS with Node ${version}`, () => run(command, ['use.cjs'], common, env));
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
console.log(failed === 0 ? `PASSED: ${name}` : `FAILED: ${failed} of ${name}`);
process.exitCode = failed === 0 ? 0 : 1;
