import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));

it.each([
  ['/usr/share/ovn/ovn-nb.ovsschema', 'src/generated/ovn-nb.ts', '../index.ts'],
  ['/usr/share/ovn/ovn-sb.ovsschema', 'src/generated/ovn-sb.ts', '../index.ts'],
  [path('test/support/inventory.ovsschema'), 'test/generated/inventory.ts', '../../src/index.ts'],
])('%s gives what is committed as %s', (schema, file, module) => {
  const text = execFileSync(path('bin/ovsdb-codegen.js'), ['--import', module, schema], { encoding: 'utf8' });
  expect(text).toBe(readFileSync(path(file), 'utf8'));
});

it.each([
  [['/nonexistent.ovsschema'], 1, /^ovsdb-codegen: ENOENT: .*nonexistent.ovsschema/],
  [['--colour', 'x.ovsschema'], 1, /^ovsdb-codegen: Unknown option '--colour'/],
  [[], 2, /^Usage: ovsdb-codegen/],
])('ends with a clear line for the arguments %j', (args, status, message) => {
  const result = spawnSync(path('bin/ovsdb-codegen.js'), args, { encoding: 'utf8' });
  expect(result).toMatchObject({ status, stderr: expect.stringMatching(message) });
  expect(result.stderr).not.toMatch(/^ +at /m);
});
