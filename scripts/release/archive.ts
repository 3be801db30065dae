import { join } from 'node:path';
import { run } from '../deploy/tools.ts';
import { buildByEngine, type Engine, pushByEngine } from '../image/engine.ts';

/**
 * Builds the image into one archive of OCI's image layout, the same bytes for the same image.
 * @param directory for files of its own
 * @returns the digest of the image: `sha256:…`
 */
export async function writeImageArchive(
  engine: Engine,
  { image, made, project, archive, directory }: ArchiveOptions,
): Promise<string> {
  await buildByEngine(engine, image, project);
  const layout = join(directory, 'layout');
  const digest = await pushByEngine(engine, image, `oci:${layout}:${image}`, directory);
  // The engine's own archive has the time in it at which it was made.
  const alike = ['--sort=name', `--mtime=${made.toISOString()}`, '--mode=u=rwX,go=rX', '--owner=0', '--group=0'];
  await run('tar', [...alike, '--numeric-owner', '-C', layout, '-cf', archive, '.'], directory);
  return digest;
}

export interface ArchiveOptions {
  /** With its tag. */
  readonly image: string;
  readonly made: Date;
  readonly project: string;
  readonly archive: string;
  readonly directory: string;
}
