import { chmod, chown, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../testbed/command.ts';
import { BUILD_LOGS, cached } from '../build/cached.ts';
import type { KubeVirtBuild } from '../build/kubevirt.ts';
import { longRun } from '../build/long-run.ts';
import { runInTree, type Tree } from '../build/tree.ts';
import { treeFor } from '../build/trees.ts';
import { type Image, writeArchive } from './oci-archive.ts';

const FILES = fileURLToPath(new URL('kubevirt', import.meta.url));
const LOG = join(BUILD_LOGS, 'images.log');

/** What KubeVirt's own images have as their user `qemu`. */
const QEMU = 107;
const LAUNCHER_PROGRAMS = ['launcher', 'launcher-monitor', 'probe', 'tail', 'freezer'];
const OTHER_PROGRAMS = ['operator', 'controller', 'api', 'handler', 'chroot', 'exportproxy'];

/** Of an operator, a registry and a tag; the others follow from it. */
export function kubeVirtImage(part: string, version: string): string {
  return `dev.local/virt-${part}:${version}`;
}

/**
 * Archive with all of KubeVirt's images. They are of one Debian with libvirt and QEMU, and one layer of KubeVirt's programs:
 * a node then unpacks both once.
 */
export async function kubeVirtArchive(build: KubeVirtBuild, onProgress: (step: string) => void): Promise<string> {
  const launcher = await treeFor('launcher', onProgress);
  const { version } = build;
  const image = (part: string, more: Partial<Image> = {}): Image => ({ name: kubeVirtImage(part, version), ...more });
  // Users as in KubeVirt's own images.
  const images = [
    ...['operator', 'api', 'controller', 'exportproxy'].map((part) => image(part, { user: '1001' })),
    image('handler'),
    image('launcher', { entrypoint: ['/usr/bin/virt-launcher'] }),
  ];
  const own = await Promise.all(['virtqemud', 'passwd', 'group'].map((name) => readFile(join(FILES, name), 'utf8')));
  const system = await systemLayer(launcher, onProgress);
  const inputs = [launcher.layers, build, own, await programStamps(build.programs), images];
  const folder = await cached('image-kubevirt', inputs, async (made) => {
    onProgress("making KubeVirt's images");
    const programs = join(made, 'programs.tar');
    await packPrograms(build, launcher, join(made, 'root'), programs);
    await writeArchive(join(made, 'archive.tar'), [system, programs], images);
  });
  return join(folder, 'archive.tar');
}

async function programStamps(folder: string): Promise<string> {
  return run('sh', ['-c', 'cd "$0" && stat -c "%n %s %Y" *', folder]);
}

/** The layer of the Debian that KubeVirt's programs run in. */
async function systemLayer(launcher: Tree, onProgress: (step: string) => void): Promise<string> {
  const left = ['proc', 'sys', 'dev', 'run', 'tmp', 'var/cache/apt', 'var/lib/apt/lists', 'var/log'];
  const documents = ['doc', 'man', 'locale', 'info'].map((name) => `usr/share/${name}`);
  const excluded = [...[...left, ...documents].map((path) => `./${path}/*`), './out', './var/run'];
  const folder = await cached('layer-launcher', [launcher.layers, excluded], async (made) => {
    onProgress("packing the Debian of KubeVirt's images");
    const tar = ['tar', '--numeric-owner', ...excluded.flatMap((pattern) => ['--exclude', pattern])];
    const command = [...tar, '-cf', '/out/system.tar', '-C', '/', '.'];
    await runInTree(launcher, command, { log: LOG, binds: { [made]: '/out' } });
  });
  return join(folder, 'system.tar');
}

/** The layer of KubeVirt's programs, laid out as KubeVirt's own images are. */
async function packPrograms(build: KubeVirtBuild, launcher: Tree, root: string, tar: string): Promise<void> {
  const at = (path: string) => join(root, path);
  const folders = ['usr/bin', 'usr/sbin', 'usr/lib/kubevirt', 'etc/libvirt/hooks', 'var', 'home/qemu', 'tmp'];
  for (const folder of folders) await mkdir(at(folder), { recursive: true });
  await chmod(at('tmp'), 0o1777);
  await chown(at('home/qemu'), QEMU, QEMU);
  // virt-handler follows it from outside, through /proc/PID/root: an absolute link would lead to its own system.
  await symlink('../run', at('var/run'));
  for (const name of [...LAUNCHER_PROGRAMS, ...OTHER_PROGRAMS].map((part) => `virt-${part}`)) {
    await copyFile(join(build.programs, name), at(`usr/bin/${name}`));
  }
  await copyFile(join(build.programs, 'container-disk'), at('usr/bin/container-disk'));
  await copyLauncherFiles(join(build.sources, 'cmd/virt-launcher'), at);
  await addUsers(at);
  await addVirtqemud(launcher, root);
  // virt-launcher-monitor runs as user qemu and opens a port below 1024 (capabilities(7): cap_net_bind_service).
  await run('setcap', ['cap_net_bind_service=ep', at('usr/bin/virt-launcher-monitor')]);
  const kept = ['--numeric-owner', '--xattrs', '--xattrs-include=security.capability'];
  await longRun(['tar', ...kept, '-C', root, '-cf', tar, '.'], { log: LOG });
}

async function copyLauncherFiles(sources: string, at: (path: string) => string): Promise<void> {
  for (const name of ['qemu.conf', 'virtqemud.conf']) await copyFile(join(sources, name), at(`etc/libvirt/${name}`));
  await copyFile(join(sources, 'qemu'), at('etc/libvirt/hooks/qemu'));
  await chmod(at('etc/libvirt/hooks/qemu'), 0o755);
  // Debian has no nss-myhostname in a minimal system.
  const hosts = (await readFile(join(sources, 'nsswitch.conf'), 'utf8')).replace(' myhostname', '');
  await writeFile(at('etc/nsswitch.conf'), hosts);
  // It would make a /dev/kvm from what the machine's kernel lists; the guests here are emulated.
  const labeller = await readFile(join(sources, 'node-labeller/node-labeller.sh'), 'utf8');
  await writeFile(at('usr/bin/node-labeller.sh'), labeller.replace('/proc/misc', '/dev/null'), { mode: 0o755 });
}

async function addUsers(at: (path: string) => string): Promise<void> {
  for (const name of ['passwd', 'group']) await copyFile(join(FILES, name), at(`etc/${name}`));
  await chown(at('etc/libvirt/hooks'), QEMU, QEMU);
}

/** Debian has libvirt's one daemon for everything and not those for one driver each, which KubeVirt starts. */
async function addVirtqemud(launcher: Tree, root: string): Promise<void> {
  await runInTree(launcher, ['cp', '/usr/sbin/libvirtd', '/out/usr/lib/kubevirt/virtqemud'], {
    log: LOG,
    binds: { [root]: '/out' },
  });
  await copyFile(join(FILES, 'virtqemud'), join(root, 'usr/sbin/virtqemud'));
  await chmod(join(root, 'usr/sbin/virtqemud'), 0o755);
}
