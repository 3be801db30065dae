import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { longRun } from '../build/long-run.ts';

/** An image as its containers see it; all else of it are the layers. */
export interface Image {
  /** With its tag, e.g. `dev.local/pause:1`. */
  readonly name: string;
  /** A number, as the kubelet wants it for `runAsNonRoot`; root by default. */
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Content descriptor (OCI image-spec, descriptor.md). */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const OCI = 'application/vnd.oci.image';
const PLATFORM = { architecture: 'amd64', os: 'linux' };
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Writes images that have the same layers as one archive in OCI's image layout, which `ctr images import` reads. Each image
 * gets two names: its own, and one by its digest. Without the second, a node says of a container that its image is the
 * digest of the image's configuration, which no node can pull; and that is what KubeVirt asks the target's node for.
 *
 * @param layers tar files, the lowest first
 */
export async function writeArchive(file: string, layers: readonly string[], images: readonly Image[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // Beside the file, so that layers can be linked and the archive can be renamed.
  const folder = await mkdtemp(`${file}.`);
  try {
    const blobs = join(folder, 'blobs/sha256');
    await mkdir(blobs, { recursive: true });
    const stored: Descriptor[] = [];
    for (const layer of layers) stored.push(await storeLayer(blobs, layer));
    const manifests = await Promise.all(images.map((image) => storeImage(blobs, image, stored)));
    await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: manifests.flat() }));
    await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    const unfinished = join(folder, 'archive.tar');
    await longRun(['tar', '-C', folder, '-cf', unfinished, 'oci-layout', 'index.json', 'blobs'], {
      log: `${folder}/tar.log`,
    });
    await rename(unfinished, file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function storeImage(blobs: string, image: Image, layers: readonly Descriptor[]): Promise<object[]> {
  const { name, user, entrypoint, workingDirectory, environment = {} } = image;
  const variables = Object.entries({ PATH, ...environment }).map(([key, value]) => `${key}=${value}`);
  const configuration = {
    ...PLATFORM,
    config: {
      Env: variables,
      ...(user !== undefined && { User: user }),
      ...(entrypoint !== undefined && { Entrypoint: entrypoint }),
      ...(workingDirectory !== undefined && { WorkingDir: workingDirectory }),
    },
    // The layers are not compressed, so their digests are those of what they unpack to.
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ comment: name })),
  };
  const config = await storeJson(blobs, configuration, `${OCI}.config.v1+json`);
  const mediaType = `${OCI}.manifest.v1+json`;
  const manifest = await storeJson(blobs, { schemaVersion: 2, mediaType, config, layers }, mediaType);
  const byDigest = `${name.replace(/:[^:/]*$/, '')}@${manifest.digest}`;
  return [name, byDigest].map((known) => ({
    ...manifest,
    platform: PLATFORM,
    annotations: { 'io.containerd.image.name': known },
  }));
}

async function storeJson(blobs: string, content: object, mediaType: string): Promise<Descriptor> {
  const text = JSON.stringify(content);
  const hash = createHash('sha256').update(text).digest('hex');
  await writeFile(join(blobs, hash), text);
  return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(text) };
}

async function storeLayer(blobs: string, layer: string): Promise<Descriptor> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(layer)) digest.update(chunk);
  const hash = digest.digest('hex');
  const blob = join(blobs, hash);
  await link(layer, blob).catch(() => copyFile(layer, blob));
  return { mediaType: `${OCI}.layer.v1.tar`, digest: `sha256:${hash}`, size: (await stat(layer)).size };
}
