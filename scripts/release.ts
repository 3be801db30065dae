/**
 * Makes all that a release publishes, in one folder: the image as an archive, the tarballs of the command line and of both
 * packages, the manifests of each overlay, what is in the image (SPDX), and the checksums of these. Nothing is pushed.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { DeployError, run, say } from './deploy/tools.ts';
import { sourceDate } from './image/source-date.ts';
import { PACKAGES, pack } from './pack/package.ts';
import { writeImageArchive } from './release/archive.ts';
import { writeManifests } from './release/manifests.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

interface Options {
  readonly image: string;
  readonly engine: string;
  readonly base?: string;
  readonly out: string;
}

const program = new Command('release')
  .description('Make all that a release publishes, in one folder.')
  .requiredOption(
    '--image <repository>',
    'where the image will be: REPOSITORY, which the manifests name with its digest',
  )
  .option('--engine <command>', 'what builds the image: podman or buildah', 'podman')
  .option('--base <image>', 'the image with Node.js, in place of the Containerfile’s own')
  .option('--out <folder>', 'a folder that is not there yet', 'release')
  .parse();

const directory = await mkdtemp(join(tmpdir(), 'ovn-handover-release-'));
try {
  await release(program.opts<Options>());
} catch (error) {
  if (!(error instanceof DeployError)) throw error;
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}

async function release({ image, engine, base, out }: Options): Promise<void> {
  const folder = resolve(out);
  await mkdir(folder).catch(({ code }) => {
    throw new DeployError(`${out} ${code === 'EEXIST' ? 'is there already' : 'cannot be made'}: give another --out`);
  });
  const made = await sourceDate(PROJECT);
  const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
  const archive = join(folder, `ovn-handover-${manifest.version}-image.tar`);

  await run(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], PROJECT);
  const tagged = `${image}:${manifest.version}`;
  const options = { image: tagged, made, project: PROJECT, archive, directory };
  const digest = await writeImageArchive({ command: engine, base }, options);
  await writeManifests(PROJECT, `${image}@${digest}`, made, folder);
  pack(await commandLine(manifest), folder);
  for (const directory of PACKAGES) pack(directory, folder);
  await copyFile(join(PROJECT, 'dist/sbom.spdx.json'), join(folder, 'sbom.spdx.json'));
  for (const file of ['CHANGELOG.md', 'LICENSE']) await copyFile(join(PROJECT, file), join(folder, file));
  await writeFile(join(folder, 'SHA256SUMS'), await checksums(folder));
  say(`${out} has all of ${manifest.version}; its image is ${digest}`);
}

/** A folder with the command line alone: it is one file, and needs none of the project's packages. */
async function commandLine(manifest: Record<string, unknown>): Promise<string> {
  const folder = join(directory, 'command-line');
  await mkdir(folder);
  const { name, version, description, license, type, engines, bin, files } = manifest;
  const own = { name, version, description, license, type, engines, bin, files };
  await writeFile(join(folder, 'package.json'), JSON.stringify(own, undefined, 2));
  await mkdir(join(folder, 'dist'));
  await mkdir(join(folder, 'cli'));
  for (const file of [...(files as string[]), 'LICENSE']) await copyFile(join(PROJECT, file), join(folder, file));
  return folder;
}

/** What `sha256sum --check` reads. */
async function checksums(folder: string): Promise<string> {
  const lines = (await readdir(folder)).sort().map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    return `${hash.digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}
