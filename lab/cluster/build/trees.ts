import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../testbed/command.ts';
import { BUILD_LOGS, cached } from './cached.ts';
import { longRun } from './long-run.ts';
import { runInTree, type Tree } from './tree.ts';

/** The suite whose libvirt and QEMU are as new as KubeVirt wants them. */
const SUITE = 'trixie';
const BASE = ['ca-certificates', 'iproute2', 'nftables', 'procps', 'kmod', 'mount'];

const PACKAGES = {
  /** Builds KubeVirt against the libvirt that its launcher runs. */
  builder: ['gcc', 'libc6-dev', 'pkg-config', 'libvirt-dev'],
  /** Is in KubeVirt's images. */
  launcher: [
    ...['libvirt-daemon', 'libvirt-daemon-driver-qemu', 'libvirt-daemon-log', 'libvirt-clients'],
    ...['qemu-system-x86', 'qemu-utils', 'xorriso', 'acl', 'psmisc', 'tar'],
  ],
  /** Is a node's operating system. */
  node: ['runc', 'iptables', 'conntrack', 'ethtool', 'socat', 'psmisc', 'tini', 'e2fsprogs', 'curl', 'iputils-ping'],
} as const;

const INSTALL =
  'apt-get -q update && exec apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install "$@"';

/** A Debian of its own for this use; fetched and installed when there is none yet. */
export async function treeFor(use: keyof typeof PACKAGES, onProgress: (step: string) => void): Promise<Tree> {
  const base = await baseTree(onProgress);
  const packages = PACKAGES[use];
  const changes = await cached(`tree-${use}`, [SUITE, BASE, packages], async (folder) => {
    onProgress(`installing Debian ${SUITE}'s packages for the ${use}: ${packages.join(' ')}`);
    await runInTree({ layers: [base], changes: folder }, ['sh', '-c', INSTALL, 'sh', ...packages], {
      log: join(BUILD_LOGS, `tree-${use}.log`),
      binds: await aptBinds(),
      environment: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  });
  return { layers: [join(changes, 'upper'), base] };
}

async function baseTree(onProgress: (step: string) => void): Promise<string> {
  return cached('tree-base', [SUITE, BASE], async (folder) => {
    onProgress(`fetching a small Debian ${SUITE}, once, which takes a minute or more`);
    const log = join(BUILD_LOGS, 'tree-base.log');
    const parameters = ['--variant=minbase', `--include=${BASE.join(',')}`, SUITE, folder, await mirror()] as const;
    await longRun(['nice', '-n', '4', 'debootstrap', ...parameters], { log });
    // Packages start no daemon in a tree.
    await writeFile(join(folder, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  });
}

/** Suites of Debian are beside each other on a mirror, so this machine's own sources say where another one is. */
async function mirror(): Promise<string> {
  const known = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)', 'Component: main']);
  const line = known.split('\n').find((one) => one.startsWith('bookworm '));
  if (line === undefined) throw new Error("apt's sources have no suite bookworm to take the mirror from.");
  return line.split(' ')[1]!;
}

/** How this machine reaches the mirror: names of hosts and apt's own settings. */
async function aptBinds(): Promise<Record<string, string>> {
  const settings = '/etc/apt/apt.conf.d';
  const files = ['/etc/resolv.conf', '/etc/hosts'];
  const readable = await Promise.all(files.map((file) => readFile(file).then(() => file)));
  return Object.fromEntries([...readable, settings].map((file) => [file, file]));
}
