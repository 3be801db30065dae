import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../testbed/command.ts';

export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
}

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
const INIT = fileURLToPath(new URL('init', import.meta.url));
const BUSYBOX = '/bin/busybox';

/** What virtio_net needs in Debian's cloud kernel, in the order in which it has to be loaded. */
const MODULES = [
  'failover',
  'net_failover',
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_net',
];

/**
 * The guest's kernel and an initramfs of a static busybox and our init; made when there is none for the present kernel,
 * busybox and init.
 *
 * @throws Error when the kernel has not been fetched (`lab/setup.sh` does).
 */
export async function guestImage(): Promise<GuestImage> {
  const [kernel] = globSync(join(CACHE, 'kernel/boot/vmlinuz-*'));
  if (!kernel) throw new Error(`No kernel for the guest in ${CACHE}kernel; run lab/setup.sh.`);
  const version = basename(kernel).replace('vmlinuz-', '');
  const inputs = createHash('sha256').update(version).update(MODULES.join());
  for (const file of [INIT, BUSYBOX]) inputs.update(await readFile(file));
  const initramfs = join(CACHE, `initramfs-${inputs.digest('hex').slice(0, 16)}.gz`);
  if (!(await exists(initramfs))) await build(initramfs, version);
  return { kernel, initramfs };
}

async function build(initramfs: string, version: string): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'ovn-handover-initramfs-'));
  try {
    for (const folder of ['bin', 'proc', 'sys', 'dev', 'modules']) await mkdir(join(root, folder));
    await copyFile(BUSYBOX, join(root, 'bin/busybox'));
    await symlink('busybox', join(root, 'bin/sh'));
    await copyFile(INIT, join(root, 'init'));
    await chmod(join(root, 'init'), 0o755);
    for (const [index, name] of MODULES.entries()) {
      const [module] = globSync(join(CACHE, `kernel/lib/modules/${version}/**/${name}.ko`));
      if (!module) throw new Error(`The guest's kernel ${version} has no module ${name}.`);
      await copyFile(module, join(root, 'modules', `${index}-${name}.ko`));
    }
    // Under another name first: who looks for the file sees all of it or nothing.
    const unfinished = `${initramfs}.${process.pid}`;
    await run('sh', ['-c', 'cd "$0" && find . | cpio --quiet -o -H newc | gzip -1 >"$1"', root, unfinished]);
    await rename(unfinished, initramfs);
  } finally {
    await rm(root, { recursive: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
