/**
 * Writes `schemas/generated/`: from each `schemas/NAME.schema.json` the TypeScript type and a compiled
 * validator. Compiled ahead because Ajv's compiler would cost every cold start some 30 ms and 120 kB.
 * With `--check` nothing is written and an outdated file ends the run with status 1.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { compile } from 'json-schema-to-typescript';

const SCHEMAS = new URL('../schemas/', import.meta.url);
const GENERATED = new URL('generated/', SCHEMAS);
const BANNER = '// Generated from the JSON Schema of the same name: change that and run `npm run generate`.';

const check = process.argv.includes('--check');
const outdated: string[] = [];

await mkdir(GENERATED, { recursive: true });
for (const file of (await readdir(SCHEMAS)).filter((name) => name.endsWith('.schema.json'))) {
  const name = file.replace('.schema.json', '');
  const schema = JSON.parse(await readFile(new URL(file, SCHEMAS), 'utf8'));
  await emit(`${name}.js`, validator(schema));
  await emit(`${name}.d.ts`, await declaration(schema));
}
if (outdated.length > 0) {
  console.error(`outdated: ${outdated.join(', ')}; run \`npm run generate\` and commit the result`);
  process.exitCode = 1;
}

function validator(schema: { title: string }): string {
  const ajv = new Ajv({
    code: { source: true, esm: true },
    useDefaults: true,
    allErrors: schema.title === 'Environment',
    strict: true,
    strictRequired: false,
  });
  const code = standalone.default(ajv, ajv.compile(schema));
  if (code.includes('require(')) {
    throw new Error('a schema uses a keyword whose validator needs Ajv at run time; say it by `pattern` instead');
  }
  return `${BANNER}\n${code}\n`;
}

async function declaration(schema: { title: string }): Promise<string> {
  const types = await compile(structuredClone(schema), schema.title, {
    bannerComment: BANNER,
    additionalProperties: false,
  });
  return `${types}
import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<${schema.title}>;
export default validate;
`;
}

async function emit(name: string, text: string): Promise<void> {
  const file = new URL(name, GENERATED);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === text) return;
  if (check) outdated.push(`schemas/generated/${name}`);
  else await writeFile(file, text);
}
