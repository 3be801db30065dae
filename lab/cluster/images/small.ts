import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { guestImage } from '../../guest/image.ts';
import { BUILD_LOGS, cached } from '../build/cached.ts';
import { longRun } from '../build/long-run.ts';
import { writeArchive } from './oci-archive.ts';

const BUSYBOX = '/bin/busybox';
/**
 * KubeVirt keeps the CRC-32 of a kernel in a field of the VMI that its CRD calls an int32. Newer API servers hold it to that, and then
 * a VMI with a larger one never leaves Scheduled.
 */
const MAX_CHECKSUM = 2 ** 31 - 1;

/** What holds a pod's namespaces. */
export const PAUSE_IMAGE = 'dev.local/pause:1';
/** The guest's kernel and initramfs, which KubeVirt boots. */
export const GUEST_IMAGE = 'dev.local/guest:1';
export const KERNEL_PATH = '/boot/vmlinuz';
export const INITRD_PATH = '/boot/initrd';

/** Archive with the image of a pod's sandbox: a static busybox that sleeps. */
export async function pauseArchive(): Promise<string> {
  const folder = await cached('image-pause', [PAUSE_IMAGE], async (made) => {
    await mkdir(join(made, 'root/bin'), { recursive: true });
    await copyFile(BUSYBOX, join(made, 'root/bin/busybox'));
    await archiveOf(made, { name: PAUSE_IMAGE, entrypoint: [BUSYBOX, 'sleep', '2147483647'] });
  });
  return join(folder, 'archive.tar');
}

/** Archive with the lab's own guest, as a `kernelBoot` container. */
export async function guestArchive(): Promise<string> {
  const { kernel, initramfs } = await guestImage();
  const folder = await cached('image-guest', [GUEST_IMAGE, kernel, initramfs, MAX_CHECKSUM], async (made) => {
    await mkdir(join(made, 'root/boot'), { recursive: true });
    await copyBootFile(kernel, join(made, 'root', KERNEL_PATH));
    await copyBootFile(initramfs, join(made, 'root', INITRD_PATH));
    await archiveOf(made, { name: GUEST_IMAGE });
  });
  return join(folder, 'archive.tar');
}

/** With zeros at the end, which nobody who boots it minds, until its checksum is one that KubeVirt can store. */
async function copyBootFile(from: string, to: string): Promise<void> {
  let content = await readFile(from);
  while (crc32(content) > MAX_CHECKSUM) content = Buffer.concat([content, Buffer.alloc(1)]);
  await writeFile(to, content);
}

async function archiveOf(made: string, image: Parameters<typeof writeArchive>[2][number]): Promise<void> {
  const layer = join(made, 'layer.tar');
  const own = ['--owner=0', '--group=0', '--numeric-owner', '--mode=a+rX'];
  await longRun(['tar', ...own, '-C', join(made, 'root'), '-cf', layer, '.'], { log: join(BUILD_LOGS, 'images.log') });
  await writeArchive(join(made, 'archive.tar'), [layer], [image]);
}
