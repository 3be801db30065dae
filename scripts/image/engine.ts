/** The image of the Containerfile, by an engine that has Podman's commands. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../deploy/tools.ts';
import { sourceDate } from './source-date.ts';

export interface Engine {
  /** `podman` or `buildah`. */
  readonly command: string;
  /** In the place of the Containerfile's own, such as the same image in a registry of one's own. */
  readonly base?: string | undefined;
}

/** Builds the image of what is in `dist/`: the same bytes for the same files and the same base. */
export async function buildByEngine({ command, base }: Engine, image: string, project: string): Promise<void> {
  const seconds = String((await sourceDate(project)).getTime() / 1_000);
  const from = base === undefined ? [] : ['--build-arg', `BASE=${base}`];
  const args = ['--timestamp', seconds, ...from, '--file', 'Containerfile', '--tag', image, '.'];
  await run(command, ['build', ...args], project);
}

/**
 * @param destination where it goes, as `podman push` names it
 * @param directory for a file of this one's own
 * @returns its digest there: `sha256:…`
 */
export async function pushByEngine(
  { command }: Engine,
  image: string,
  destination: string,
  directory: string,
): Promise<string> {
  const file = join(directory, 'digest');
  await run(command, ['push', '--digestfile', file, image, destination], directory);
  return (await readFile(file, 'utf8')).trim();
}

/** `registry.example.com:5000/infra/x` of that with a tag. */
export function repositoryOf(image: string): string {
  return image.replace(/:[^:/]*$/, '');
}
