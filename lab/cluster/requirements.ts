import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { run } from '../testbed/command.ts';
import { hierarchies } from './nodes/cgroups.ts';

const MEMORY_GIB = 6;
const GIB = 1024 ** 3;
/** Beside what lab/setup.sh brings. */
const COMMANDS = { debootstrap: 'debootstrap', setcap: 'libcap2-bin', unshare: 'util-linux', sysctl: 'procps' };
const CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd'];

/**
 * Makes sure that a cluster can stand here; small Debian packages are installed.
 *
 * @throws Error that says in one line what is missing
 */
export async function requireMachine(): Promise<void> {
  if (process.platform !== 'linux') throw new Error(`a cluster needs Linux, this is ${process.platform}.`);
  if (process.arch !== 'x64') throw new Error(`a cluster's guests are made for x86_64, this is ${process.arch}.`);
  if (process.getuid?.() !== 0) throw new Error('a cluster makes namespaces, cgroups and mounts: run it as root.');
  const present = hierarchies().map((folder) => folder.split('/').at(-1));
  const absent = CONTROLLERS.filter((name) => !present.includes(name));
  if (absent.length > 0) {
    throw new Error(`a cluster's nodes need cgroups of version 1, and this machine lacks ${absent.join(', ')}.`);
  }
  const memory = totalmem() / GIB;
  if (memory < MEMORY_GIB) {
    throw new Error(`a cluster takes ${MEMORY_GIB} GiB of memory, this machine has ${memory.toFixed(1)}.`);
  }
  if (!existsSync('/dev/net/tun'))
    throw new Error('/dev/net/tun is missing, which virt-launcher opens (modprobe tun).');
  await requireCommands();
}

async function requireCommands(): Promise<void> {
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':');
  const missing = Object.entries(COMMANDS).filter(
    ([name]) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=25', 'install', '-y', '--no-install-recommends', ...packages], {
    DEBIAN_FRONTEND: 'noninteractive',
  }).catch((error: Error) => {
    throw new Error(`a cluster needs Debian's ${packages.join(', ')}: ${error.message}`);
  });
}
