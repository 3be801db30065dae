import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Creates the file of a standalone database with this schema. */
export function createDatabase(directory: string, schema: unknown, name = 'db'): string {
  const path = join(directory, name);
  run('create', path, schemaFile(directory, schema, name));
  return path;
}

/** Creates the file of the first member of a cluster with this schema; it replaces an older one. */
export function createCluster(directory: string, schema: unknown, name = 'db'): string {
  const path = join(directory, name);
  rmSync(path, { force: true });
  run('create-cluster', path, schemaFile(directory, schema, name), `unix:${join(directory, 'raft')}`);
  return path;
}

function schemaFile(directory: string, schema: unknown, name: string): string {
  const path = join(directory, `${name}.ovsschema`);
  writeFileSync(path, JSON.stringify(schema));
  return path;
}

function run(...args: string[]): void {
  execFileSync('ovsdb-tool', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
