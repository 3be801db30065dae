import { SchemaError } from '../errors.ts';
import type { DatabaseSchema } from './schema.ts';

const ID = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ATOMS = ['integer', 'real', 'boolean', 'string', 'uuid'];

/** Checks that this is a `<database-schema>` (RFC 7047 section 3.2). @throws SchemaError saying where it is not */
export function readSchema(json: unknown): DatabaseSchema {
  const { name, version, tables } = members(json, 'the schema');
  if (typeof name !== 'string' || !ID.test(name)) fail('the schema', 'has no "name" that is an identifier');
  if (typeof version !== 'string') fail(`the schema of ${name}`, 'has no "version"');
  for (const [table, schema] of entries(tables, `"tables" of ${name}`)) {
    const { columns, indexes } = members(schema, `table ${table}`);
    for (const [column, columnSchema] of entries(columns, `"columns" of table ${table}`)) {
      checkType(members(columnSchema, `column ${column} of table ${table}`).type, `column ${column} of table ${table}`);
    }
    checkIndexes(indexes, columns as object, `"indexes" of table ${table}`);
  }
  return json as DatabaseSchema;
}

function checkIndexes(indexes: unknown, columns: object, where: string): void {
  if (indexes === undefined) return;
  if (!Array.isArray(indexes) || !indexes.every(Array.isArray)) fail(where, 'is no array of arrays');
  for (const column of (indexes as unknown[]).flat()) {
    if (!Object.hasOwn(columns, String(column))) fail(where, `names ${column}, which is no column`);
  }
}

function checkType(type: unknown, where: string): void {
  if (ATOMS.includes(type as string)) return;
  const { key, value } = members(type, `the type of ${where}`);
  for (const base of value === undefined ? [key] : [key, value]) {
    const atom = typeof base === 'string' ? base : members(base, `the type of ${where}`).type;
    if (!ATOMS.includes(atom as string)) fail(`the type of ${where}`, `is none of ${ATOMS.join(', ')}`);
  }
}

function entries(json: unknown, where: string): [string, unknown][] {
  const all = Object.entries(members(json, where));
  for (const [name] of all) if (!ID.test(name)) fail(where, `has "${name}", which is no identifier`);
  return all;
}

function members(json: unknown, where: string): Record<string, unknown> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  return fail(where, 'is not there, or no object');
}

function fail(where: string, problem: string): never {
  throw new SchemaError(`No schema of an OVSDB database (RFC 7047 section 3.2): ${where} ${problem}`);
}
