import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('libovsdb/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/ovsdb-client-ts/', import.meta.url));

/** The program on top of Go's libovsdb, built from the pinned module when there is none of the same sources. */
export function buildLibovsdb(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(SOURCE).sort()) hash.update(name).update(readFileSync(join(SOURCE, name)));
  const binary = join(CACHE, `libovsdb-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(binary)) {
    mkdirSync(CACHE, { recursive: true });
    const unfinished = `${binary}.${process.pid}`;
    execFileSync('go', ['build', '-trimpath', '-mod=readonly', '-o', unfinished, '.'], {
      cwd: SOURCE,
      stdio: 'inherit',
    });
    renameSync(unfinished, binary);
  }
  return binary;
}

/** Runs one of its modes and gives its figures. */
export function runLibovsdb(...args: string[]): Record<string, number> {
  return JSON.parse(execFileSync(buildLibovsdb(), args, { encoding: 'utf8' }));
}
