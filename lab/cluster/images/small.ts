import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { guestImage } from '../../guest/image.ts';
import { BUILD_LOGS, cached } from '../build/cached.ts';
import { longRun } from '../build/long-run.ts';
import { writeArchive } from './oci-archive.ts';

const BUSYBOX = '/bin/busybox';

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
  const folder = await cached('image-guest', [GUEST_IMAGE, kernel, initramfs], async (made) => {
    await mkdir(join(made, 'root/boot'), { recursive: true });
    await copyFile(kernel, join(made, 'root', KERNEL_PATH));
    await copyFile(initramfs, join(made, 'root', INITRD_PATH));
    await archiveOf(made, { name: GUEST_IMAGE });
  });
  return join(folder, 'archive.tar');
}

async function archiveOf(made: string, image: Parameters<typeof writeArchive>[2][number]): Promise<void> {
  const layer = join(made, 'layer.tar');
  const own = ['--owner=0', '--group=0', '--numeric-owner', '--mode=a+rX'];
  await longRun(['tar', ...own, '-C', join(made, 'root'), '-cf', layer, '.'], { log: join(BUILD_LOGS, 'images.log') });
  await writeArchive(join(made, 'archive.tar'), [layer], [image]);
}
