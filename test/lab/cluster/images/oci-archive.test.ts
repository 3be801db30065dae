import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeArchive } from '../../../../lab/cluster/images/oci-archive.ts';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

let folder: string;
const blob = ({ digest }: Descriptor) => readFile(join(folder, 'blobs/sha256', digest.replace('sha256:', '')));
const read = async (descriptor: Descriptor) => JSON.parse((await blob(descriptor)).toString());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oci-archive-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Writes an archive of two images with one layer, and unpacks it. */
async function unpacked(): Promise<{ manifests: readonly Descriptor[] }> {
  const layer = join(folder, 'layer.tar');
  await writeFile(join(folder, 'greeting'), 'hello');
  execFileSync('tar', ['-C', folder, '-cf', layer, 'greeting']);
  await writeArchive(
    join(folder, 'archive.tar'),
    [layer],
    [
      { name: 'dev.local/first:1', user: '1001', entrypoint: ['/first'], environment: { A: 'b' } },
      { name: 'dev.local:5000/second:2' },
    ],
  );
  execFileSync('tar', ['-C', folder, '-xf', join(folder, 'archive.tar')]);
  return JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
}

test('each image has its own name, and one by the digest of its manifest', async () => {
  const { manifests } = await unpacked();
  const names = manifests.map(({ annotations }) => annotations?.['io.containerd.image.name']);
  expect(names).toEqual([
    ...['dev.local/first:1', `dev.local/first@${manifests[0]!.digest}`],
    ...['dev.local:5000/second:2', `dev.local:5000/second@${manifests[2]!.digest}`],
  ]);
  expect(manifests[0]!.digest).not.toBe(manifests[2]!.digest);
});

test('every descriptor has the digest and the size of its blob', async () => {
  const { manifests } = await unpacked();
  for (const descriptor of manifests) {
    const { config, layers } = await read(descriptor);
    for (const one of [descriptor, config, ...layers] as Descriptor[]) {
      const content = await blob(one);
      expect(one).toMatchObject({
        digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
        size: content.length,
      });
    }
  }
});

test('the configuration says how the image is run, and that its layer is what it unpacks to', async () => {
  const { manifests } = await unpacked();
  const { config, layers } = await read(manifests[0]!);
  expect(await read(config)).toMatchObject({
    config: { User: '1001', Entrypoint: ['/first'], Env: expect.arrayContaining(['A=b']) },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }: Descriptor) => digest) },
  });
  const { config: plain } = await read(manifests[2]!);
  expect((await read(plain)).config).not.toHaveProperty('User');
});
