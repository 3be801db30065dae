import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Inventory } from '../support/inventory.ts';
import { TemporaryDirectory } from '../support/server.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());
let files = 0;

function schemaFile(content: unknown): string {
  return directory.file(`${files++}.ovsschema`, content);
}

function withColumn(column: unknown, indexes?: unknown): unknown {
  return { name: 'A', version: '1', tables: { T: { columns: { c: column }, indexes } } };
}

it('gives the types of a running server', async () => {
  await using inventory = await Inventory.start();
  const args = ['--import', '../../src/index.ts', '--database', 'Inventory', inventory.remote];
  const text = execFileSync(path('bin/ovsdb-codegen.js'), args, { encoding: 'utf8' });
  expect(text).toBe(readFileSync(path('test/generated/inventory.ts'), 'utf8'));
});

it.each([
  ['/usr/share/ovn/ovn-nb.ovsschema', 'src/generated/ovn-nb.ts', '../index.ts'],
  ['/usr/share/ovn/ovn-sb.ovsschema', 'src/generated/ovn-sb.ts', '../index.ts'],
  [path('test/support/inventory.ovsschema'), 'test/generated/inventory.ts', '../../src/index.ts'],
  [path('test/support/collisions.ovsschema'), 'test/generated/collisions.ts', '../../src/index.ts'],
])('%s gives what is committed as %s', (schema, file, module) => {
  const text = execFileSync(path('bin/ovsdb-codegen.js'), ['--import', module, schema], { encoding: 'utf8' });
  expect(text).toBe(readFileSync(path(file), 'utf8'));
});

it.each([
  [['/nonexistent.ovsschema'], 1, /^ovsdb-codegen: ENOENT: .*nonexistent.ovsschema/],
  [['--colour', 'x.ovsschema'], 1, /^ovsdb-codegen: Unknown option '--colour'/],
  [[schemaFile({})], 1, /^ovsdb-codegen: No schema of an OVSDB database .*: the schema has no "name"/],
  [[schemaFile([])], 1, /: the schema is not there, or no object/],
  [[schemaFile({ name: 'A', version: '1' })], 1, /: "tables" of A is not there, or no object/],
  [[schemaFile(withColumn({ type: 'text' }))], 1, /: the type of column c of table T is not there, or no object/],
  [
    [schemaFile(withColumn({ type: { key: 'text' } }))],
    1,
    /: the type of column c of table T is none of integer, real/,
  ],
  [[schemaFile(withColumn({ type: 'string' }, [['d']]))], 1, /: "indexes" of table T names d, which is no column/],
  [[schemaFile(withColumn({ type: 'string' }, ['c']))], 1, /: "indexes" of table T is no array of arrays/],
  [['--database', 'Nowhere', 'tcp:127.0.0.1:1'], 1, /^ovsdb-codegen: No usable server.*ECONNREFUSED/],
  [[], 2, /^Usage: ovsdb-codegen/],
])('ends with a clear line for the arguments %j', (args, status, message) => {
  const result = spawnSync(path('bin/ovsdb-codegen.js'), args, { encoding: 'utf8' });
  expect(result).toMatchObject({ status, stderr: expect.stringMatching(message) });
  expect(result.stderr).not.toMatch(/^ +at /m);
});
