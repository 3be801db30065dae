import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DatabaseSchema } from '../schema/schema.ts';
import { parseJson } from '../wire/json.ts';
import { generate } from './generate.ts';

const USAGE = `Usage: ovsdb-codegen [--output FILE] [--import MODULE] FILE.ovsschema

Writes a TypeScript module with the types of a database's tables, for use with ovsdb-client-ts.

  -o, --output FILE    where to write; standard output without it
      --import MODULE  where the module finds the client's types (default: ovsdb-client-ts)`;

/** The command ovsdb-codegen; returns its exit status. */
export function main(args: string[]): number {
  try {
    return run(args);
  } catch (error) {
    console.error(`ovsdb-codegen: ${(error as Error).message}`);
    return 1;
  }
}

function run(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      import: { type: 'string', default: 'ovsdb-client-ts' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [file, ...rest] = positionals;
  if (values.help || file === undefined || rest.length > 0) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  const text = generate(parseJson(readFileSync(file, 'utf8')) as DatabaseSchema, values.import);
  if (values.output === undefined) process.stdout.write(text);
  else writeFileSync(values.output, text);
  return 0;
}
