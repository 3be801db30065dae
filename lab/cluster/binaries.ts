import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../.cache/bin/', import.meta.url);

/**
 * Where a program of `binaries.sh` is.
 * @throws Error when it is not there
 */
export function binary(name: string): string {
  const file = fileURLToPath(new URL(name, FOLDER));
  if (!existsSync(file)) throw new Error(`${name} is missing: run lab/cluster/binaries.sh ${name}, which builds it.`);
  return file;
}
