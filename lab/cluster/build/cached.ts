import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locked } from './lock.ts';

/** Of all that is built once and serves every cluster. */
export const CACHE = fileURLToPath(new URL('../../.cache/cluster', import.meta.url));
/** Of what the builders say. */
export const BUILD_LOGS = join(CACHE, 'logs');

/**
 * Makes something in a folder of the cache, unless what is there was made of the same inputs; one process at a time does.
 *
 * @param inputs all that it depends on
 * @param make fills the folder, which is empty or, where `make` failed before, half filled
 * @returns the folder
 */
export async function cached(
  name: string,
  inputs: readonly unknown[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, name);
  const stamp = join(CACHE, `${name.replaceAll('/', '-')}.stamp`);
  const digest = digestOf(...inputs);
  const isCurrent = async () => existsSync(folder) && (await readFile(stamp, 'utf8').catch(() => '')) === digest;
  if (await isCurrent()) return folder;
  await mkdir(CACHE, { recursive: true });
  await using _lock = await locked(`${stamp}.lock`);
  // Whoever had the lock may have made it.
  if (await isCurrent()) return folder;
  await rm(stamp, { force: true });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await make(folder);
  await writeFile(stamp, digest);
  return folder;
}

function digestOf(...inputs: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}
