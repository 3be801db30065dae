import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE } from './cached.ts';
import { longRun } from './long-run.ts';

/** A file system of layers, as overlayfs puts them together. */
export interface Tree {
  /** The highest first. */
  readonly layers: readonly [string, ...string[]];
  /** Where changes go: to a folder that holds `upper` and `work`, or nowhere. */
  readonly changes?: string;
}

/**
 * Mounts in a mount namespace of its own, which ends with the command, so that there is nothing to unmount. Overlayfs takes a
 * tmpfs for changes, but no overlay: in a container a folder may be on one.
 */
const ENTER = `
set -e
root=$1 layers=$2 changes=$3; shift 3
if [ -z "$changes" ]; then mount -t tmpfs tmpfs "$root"; changes=$root; mkdir "$root/root"; root=$root/root; fi
mkdir -p "$changes/upper" "$changes/work"
mount -t overlay tree -o "lowerdir=$layers,upperdir=$changes/upper,workdir=$changes/work" "$root"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; else : >>"$root$2"; fi
  mount --bind "$1" "$root$2"; shift 2
done
shift
exec chroot "$root" "$@"`;

/**
 * Runs a command in a tree, as root, to its end.
 *
 * @param binds what it sees of this machine: its place in the tree by its place here
 */
export async function runInTree(
  { layers, changes = '' }: Tree,
  command: readonly string[],
  {
    log,
    binds = {},
    environment = {},
  }: {
    readonly log: string;
    readonly binds?: Readonly<Record<string, string>>;
    readonly environment?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const root = join(CACHE, 'mounts', `${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
  await mkdir(root, { recursive: true });
  try {
    const names = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
    const parameters = [root, layers.join(':'), changes, ...Object.entries(binds).flat(), '--'];
    // Nothing of this machine's environment is meant for another system.
    const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    const inside = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C', ...variables, ...command];
    await longRun(['nice', '-n', '4', 'unshare', ...names, 'sh', '-c', ENTER, 'sh', ...parameters, ...inside], { log });
  } finally {
    await rm(root, { recursive: true });
  }
}
