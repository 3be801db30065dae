import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { OvsdbClient } from '../client.ts';
import { readSchema } from '../schema/read-schema.ts';
import { parseJson } from '../wire/json.ts';
import { generate } from './generate.ts';

const USAGE = `Usage: ovsdb-codegen [OPTION]... FILE.ovsschema
       ovsdb-codegen [OPTION]... --database NAME REMOTE

Writes a TypeScript module with the types of a database's tables, for use with ovsdb-client-ts. The schema comes from a
file, or from a server at unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT.

  -d, --database NAME  the server's database
  -o, --output FILE    where to write; standard output without it
      --import MODULE  where the module finds the client's types (default: ovsdb-client-ts)
      --cert, --key, --ca FILE  for ssl: our certificate, its key, and the authority that signed the server's`;

/** The command ovsdb-codegen; returns its exit status. */
export async function main(args: string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    console.error(`ovsdb-codegen: ${(error as Error).message}`);
    return 1;
  }
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      database: { type: 'string', short: 'd' },
      output: { type: 'string', short: 'o' },
      import: { type: 'string', default: 'ovsdb-client-ts' },
      cert: { type: 'string' },
      key: { type: 'string' },
      ca: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [source, ...rest] = positionals;
  if (values.help || source === undefined || rest.length > 0) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  const { database, cert, key, ca } = values;
  const tls = cert !== undefined && key !== undefined && ca !== undefined ? { tls: { cert, key, ca } } : {};
  const json =
    database === undefined
      ? parseJson(await readFile(source, 'utf8'))
      : await askServer(new OvsdbClient({ remote: source, database, leaderOnly: false, ...tls }));
  const text = generate(readSchema(json), values.import);
  if (values.output === undefined) process.stdout.write(text);
  else await writeFile(values.output, text);
  return 0;
}

async function askServer(client: OvsdbClient): Promise<unknown> {
  await using one = client;
  return await one.getSchema();
}
