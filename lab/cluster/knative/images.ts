import { chmod, copyFile, link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeContext } from '../../../scripts/deploy/image.ts';
import { run } from '../../testbed/command.ts';
import { BUILD_LOGS, cached } from '../build/cached.ts';
import { longRun } from '../build/long-run.ts';
import { type Image, writeArchive } from '../images/oci-archive.ts';
import type { ProgramBuild } from './build.ts';
import { imageOf } from './programs.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const NETWORK_LAYER = fileURLToPath(new URL('network/main.ts', import.meta.url));
const NODE = join(PROJECT, 'node_modules/.bin/node');
/** Where `func` has its images run a function, and as whom. */
const WORKSPACE = 'workspace';
const USER = '1001';
/** As whom the images run that Knative's own releases have. */
const KO_USER = '65532';

/**
 * Name of the image of the functions, to which `npm run deploy` is given the digest. func asks the registry whether it may be pulled:
 * nobody listens there. To a name that it could not resolve it would ask from inside the cluster, by a pod that cannot start.
 */
const FUNCTIONS_IMAGE = '127.0.0.1:1/ovn-handover';

/** Archive with an image of each program; they are all in one layer, so that a node unpacks it once. */
export async function programArchive({ pins, folder, programs }: ProgramBuild): Promise<string> {
  const made = await cached(`image-${pins}`, [programs, await stampsOf(folder)], async (into) => {
    const root = await newRoot(into, 'ko-app');
    for (const { name } of programs) await link(join(folder, basename(name)), join(root, 'ko-app', basename(name)));
    const images = programs.map(
      ({ name }): Image => ({ name: imageOf(name), user: KO_USER, entrypoint: [`/ko-app/${basename(name)}`] }),
    );
    await writeArchive(join(into, 'archive.tar'), [await pack(root)], images);
    await rm(root, { recursive: true });
  });
  return join(made, 'archive.tar');
}

/** Archive with the image of Knative's network layer. */
export async function networkLayerArchive(): Promise<string> {
  const { outputFiles } = await build({
    ...{
      entryPoints: [NETWORK_LAYER],
      bundle: true,
      platform: 'node',
      target: 'node24',
      conditions: ['ovn-handover-source'],
    },
    ...{ format: 'esm', minify: true, write: false, logLevel: 'warning' },
    // Packages that are no ES modules ask for what Node.js has by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const script = outputFiles[0]!.text;
  const name = imageOf('ovn-handover.dev/lab/network-layer');
  return nodeArchive('image-network-layer', { name, args: ['network-layer.mjs'] }, [script], (workspace) =>
    writeFile(join(workspace, 'network-layer.mjs'), script),
  );
}

/**
 * Archive with the image of the functions as they are built in `dist/`, which `func` would have made with an engine.
 *
 * @param edition images of two editions have different digests
 */
export async function functionsArchive(edition = ''): Promise<string> {
  const dist = join(PROJECT, 'dist');
  const files = (await readdir(dist).catch(() => [])).sort();
  if (files.length === 0) throw new Error('the functions are not built: npm run build');
  const contents = await Promise.all(files.map((file) => readFile(join(dist, file), 'base64')));
  const image = { name: `${FUNCTIONS_IMAGE}:built`, args: ['dist/index.mjs'] };
  return nodeArchive(`image-functions${edition}`, image, contents, async (workspace) => {
    await writeContext(PROJECT, workspace);
    if (edition !== '') await writeFile(join(workspace, 'edition'), edition);
  });
}

/** Name by digest of the one image in an archive. */
export async function digestedName(archive: string): Promise<string> {
  const index = JSON.parse(await run('tar', ['-xOf', archive, 'index.json'])) as {
    manifests: { annotations: Readonly<Record<string, string>> }[];
  };
  const names = index.manifests.map(({ annotations }) => annotations['io.containerd.image.name'] ?? '');
  return names.find((name) => name.includes('@'))!;
}

/**
 * Archive with an image that runs Node.js, as `func` has it made.
 *
 * @param cache name in the cache
 * @param image its name, and what Node.js is given
 * @param inputs what the image depends on beside these
 * @param fill writes into the folder that Node.js runs in
 */
export async function nodeArchive(
  cache: string,
  { name, args }: { readonly name: string; readonly args: readonly string[] },
  inputs: readonly string[],
  fill: (workspace: string) => Promise<void>,
): Promise<string> {
  const runtime = await nodeLayer();
  const made = await cached(cache, [name, args, runtime, inputs], async (into) => {
    const root = await newRoot(into, WORKSPACE);
    await fill(join(root, WORKSPACE));
    const entrypoint = [`/${WORKSPACE}/node_modules/.bin/node`, ...args];
    await writeArchive(
      join(into, 'archive.tar'),
      [runtime, await pack(root)],
      [{ name, user: USER, entrypoint, workingDirectory: `/${WORKSPACE}` }],
    );
    // Its package.json would be taken for a second one of the project.
    await rm(root, { recursive: true });
  });
  return join(made, 'archive.tar');
}

/** Layer with the Node.js that the project's package.json pins, and the libraries that it takes from this machine. */
async function nodeLayer(): Promise<string> {
  const libraries = [...(await run('ldd', [NODE])).matchAll(/(\/\S+) \(/g)].map(([, library]) => library!);
  const made = await cached('layer-node', [await run(NODE, ['--version']), libraries], async (into) => {
    const root = await newRoot(into, 'tmp', `${WORKSPACE}/node_modules/.bin`, 'etc');
    await chmod(join(root, 'tmp'), 0o1777);
    await writeFile(join(root, 'etc/passwd'), `root:x:0:0::/root:/none\ncnb:x:${USER}:${USER}::/tmp:/none\n`);
    await copyFile(NODE, join(root, WORKSPACE, 'node_modules/.bin/node'));
    for (const library of libraries) {
      await mkdir(join(root, dirname(library)), { recursive: true });
      await copyFile(library, join(root, library));
    }
    await pack(root);
  });
  return join(made, 'root.tar');
}

async function newRoot(into: string, ...folders: readonly string[]): Promise<string> {
  const root = join(into, 'root');
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  return root;
}

/** Packs a folder into a tar file beside it, the same for the same content. */
async function pack(root: string): Promise<string> {
  const alike = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0', '--hard-dereference'];
  const layer = `${root}.tar`;
  await longRun(['tar', ...alike, '-C', root, '-cf', layer, '.'], { log: join(BUILD_LOGS, 'images.log') });
  return layer;
}

async function stampsOf(folder: string): Promise<string> {
  return run('sh', ['-c', 'cd "$0" && stat -c "%n %s %Y" *', folder]);
}
