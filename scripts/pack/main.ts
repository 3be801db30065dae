/**
 * Packs the package of the working directory, and uses the tarball in empty folders as a stranger would: ES modules, CommonJS,
 * TypeScript 5.5 to 6 with both kinds of module resolution, the oldest Node that it claims, the examples of its README as they
 * are printed, and those of its API reference.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { programOf } from '../reference/examples.ts';
import { publicNames } from '../reference/public-names.ts';
import { compile, compilerNamed, install, MODES, outputOf } from './folder.ts';
import { lint } from './lint.ts';
import { manifestOf, pack, run } from './package.ts';
import type { Surroundings, Trial } from './trial.ts';

const directory = process.cwd();
const { name, engines } = manifestOf(directory);
const { trial } = (await import(pathToFileURL(join(directory, 'test/pack/trial.ts')).href)) as { trial: Trial };

const OLDEST_NODE = engines.node.replace('>=', '');
/** Each with the types of Node that it can read. */
const COMPILERS: readonly { readonly types: string; readonly versions: readonly string[] }[] = [
  { types: '22.12.0', versions: ['5.5'] },
  { types: '24', versions: ['5.6', '5.7', '5.8', '5.9', '6.0'] },
];
const NOWHERE: Surroundings = { env: {}, example: (program) => program, async [Symbol.asyncDispose]() {} };

const root = mkdtempSync(join(tmpdir(), `pack-${name}-`));
let failed = 0;

async function step(what: string, action: () => unknown): Promise<void> {
  try {
    await action();
    console.log(`ok   ${what}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${what}\n${(error as Error).message}`);
  }
}

function expectOutput(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`expected:\n${expected}\ngot:\n${actual}`);
}

function examplesIn(readme: string): { program: string; output: string }[] {
  const found = readFileSync(readme, 'utf8').matchAll(/```ts\n(.*?)```(?:\s+```text\n(.*?)```)?/gs);
  return [...found].map(([, program = '', output = '']) => ({ program, output }));
}

try {
  await using surroundings = (await trial.start?.()) ?? NOWHERE;
  const { env } = surroundings;
  const tarball = pack(directory, root);
  await step('publint, arethetypeswrong and npm publish --dry-run have nothing to say', async () => {
    const problems = await lint(directory, tarball);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  });

  install(join(root, 'node'), 'module', [`node@${OLDEST_NODE}`]);
  const nodes = [process.execPath, join(root, 'node/node_modules/node/bin/node')];
  const results: string[] = [];
  const reference = surroundings.example(programOf(await publicNames(directory)));

  for (const { types, versions } of COMPILERS) {
    const folder = join(root, `types-${types}`);
    const others = [...trial.dependencies, `@types/node@${types}`, ...versions.map(compilerNamed)];
    install(folder, 'module', [tarball, ...others]);
    const examples = examplesIn(join(folder, 'node_modules', name, 'README.md'));
    for (const [index, { program }] of examples.entries()) {
      writeFileSync(join(folder, `readme-${index + 1}.ts`), surroundings.example(program));
    }
    writeFileSync(join(folder, 'reference.ts'), reference);
    cpSync(join(directory, 'test/pack/use.ts'), join(folder, 'use.ts'));
    await step(`the package prepares a folder with @types/node ${types}`, () => trial.prepare?.(folder));

    for (const version of versions) {
      for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
        await step(`TypeScript ${version} compiles use.ts and all examples in mode ${mode}`, () =>
          compile(folder, version, mode),
        );
      }
    }
    const output = outputOf(folder, versions[0]!, 'bundler');
    for (const node of nodes) {
      await step(`use.ts runs as an ES module with Node ${run(node, ['--version'], folder).trim()}`, () => {
        results.push(run(node, [join(output, 'use.js')], folder, env));
        expectOutput(results.at(-1)!, results[0]!);
      });
    }
    // Once is enough, and some leave something in a database.
    if (types !== COMPILERS.at(-1)!.types) continue;
    for (const [index, { output: printed }] of examples.entries()) {
      await step(`example ${index + 1} of the README prints what it says`, () =>
        expectOutput(run(process.execPath, [join(output, `readme-${index + 1}.js`)], folder, env), printed),
      );
    }
    await step('the examples of the API reference are so', () =>
      run(process.execPath, [join(output, 'reference.js')], folder, env),
    );
  }

  const common = join(root, 'commonjs');
  install(common, 'commonjs', [tarball, ...trial.dependencies]);
  cpSync(join(directory, 'test/pack/use.cjs'), join(common, 'use.cjs'));
  for (const node of nodes) {
    await step(`use.cjs runs as CommonJS with Node ${run(node, ['--version'], common).trim()}`, () =>
      run(node, ['use.cjs'], common, env),
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
console.log(failed === 0 ? `PASSED: ${name}` : `FAILED: ${failed} of ${name}`);
process.exitCode = failed === 0 ? 0 : 1;
