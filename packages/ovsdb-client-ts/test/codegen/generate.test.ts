import { readFileSync } from 'node:fs';
import { generate } from '../../src/codegen/generate.ts';

const schema = (columns: Record<string, unknown>) =>
  ({ name: 'Some_DB', version: '1.0.0', tables: { Some_Table: { columns } } }) as Parameters<typeof generate>[0];

function typeOf(type: unknown): string | undefined {
  return /^ {2}readonly column: (.*);$/m.exec(generate(schema({ column: { type } }), 'x'))?.[1];
}

it.each([
  ['string', 'string'],
  ['boolean', 'boolean'],
  ['real', 'number'],
  ['integer', 'bigint'],
  [{ key: { type: 'integer', minInteger: 0, maxInteger: 4095 } }, 'number'],
  [{ key: { type: 'integer', minInteger: 0 } }, 'bigint'],
  [{ key: { type: 'integer', enum: ['set', [1, 2]] } }, '1 | 2'],
  [{ key: { type: 'string', enum: ['set', ['a-b', "it's"]] } }, "'a-b' | 'it\\'s'"],
  [{ key: { type: 'string', enum: 'only' } }, "'only'"],
  [{ key: 'uuid' }, 'Uuid'],
  [{ key: { type: 'uuid', refTable: 'Port' }, min: 0 }, "Uuid<'Port'> | undefined"],
  [{ key: 'string', min: 0, max: 1 }, 'string | undefined'],
  [{ key: 'string', min: 0, max: 'unlimited' }, 'readonly string[]'],
  [{ key: { type: 'string', enum: ['set', ['a', 'b']] }, min: 0, max: 2 }, "readonly ('a' | 'b')[]"],
  [{ key: 'string', value: 'integer', min: 0, max: 'unlimited' }, 'ReadonlyMap<string, bigint>'],
])('gives a column of type %j the type %s', (type, expected) => {
  expect(typeOf(type)).toBe(expected);
});

it('gives the same text whatever the order of the schema', () => {
  const one = generate(schema({ a: { type: 'string' }, b: { type: 'real', mutable: false } }), 'x');
  const other = generate(schema({ b: { mutable: false, type: 'real' }, a: { type: 'string' } }), 'x');
  expect(one).toBe(other);
  expect(one).toContain("export type SomeTableUpdate = UpdateOf<SomeTable, 'b'>;");
});

it("keeps a table's indexes, each as a key by which a row is found", () => {
  const columns = { name: { type: 'string' }, port: { type: 'string' } };
  const tables = { Some_Table: { columns, indexes: [['name'], ['port', 'name']] }, Other: { columns } };
  const text = generate({ name: 'Some_DB', version: '1.0.0', tables } as never, 'x');
  expect(text).toContain("update: SomeTableUpdate; key: Pick<SomeTable, 'name'> | Pick<SomeTable, 'port' | 'name'> };");
  expect(text).toContain("      indexes: [['name'], ['port', 'name']],\n");
  expect(text).toContain('Other: { row: Other; insert: OtherInsert; update: OtherUpdate };');
});

it.each([
  ['/usr/share/openvswitch/vswitch.ovsschema', 'OpenVSwitchDatabase'],
  ['/usr/share/ovn/ovn-nb.ovsschema', 'OVNNorthbound'],
])('gives every type of %s a name of its own', (file, database) => {
  const text = generate(JSON.parse(readFileSync(file, 'utf8')), 'x');
  const names = [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(text).toContain(`export const schema: TypedSchema<${database}> = {`);
});
