// The first process of a node: makes of its namespaces (mount, pid, uts, ipc, cgroup, network) a system of its own, says so in
// one line, and becomes an init that only waits. Argument: a NodeSystem as JSON.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a node's file system is made of. */
export interface NodeSystem {
  readonly name: string;
  /** Layers of its root, the highest first. */
  readonly layers: readonly string[];
  /** Of its changes; on a file system that overlayfs takes. */
  readonly directory: string;
  /** What it sees of this machine: its place there by its place here. */
  readonly binds: Readonly<Record<string, string>>;
  /** Files that it starts with, by their place there. */
  readonly files: Readonly<Record<string, string>>;
}

/** Version 1 hierarchies that runc and the kubelet use. */
const CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];
/** Major and minor numbers (the kernel's devices.txt). A /dev/kvm is left out: guests are emulated. */
const DEVICES = {
  ...{ null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0] },
  ...{ console: [5, 1], kmsg: [1, 11], fuse: [10, 229], 'net/tun': [10, 200] },
};
const LINKS = { ptmx: 'pts/ptmx', fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2' };

const { name, layers, directory, binds, files } = JSON.parse(process.argv[2]!) as NodeSystem;
const root = join(directory, 'root');
const at = (path: string) => join(root, path);

run('hostname', name);
for (const folder of ['root', 'upper', 'work']) mkdirSync(join(directory, folder), { recursive: true });
const changes = `upperdir=${directory}/upper,workdir=${directory}/work`;
run('mount', '-t', 'overlay', name, '-o', `lowerdir=${layers.join(':')},${changes}`, root);
mountKernelFileSystems();
mountDevices();
for (const [here, there] of Object.entries(binds)) {
  makeMountPoint(here, at(there));
  run('mount', '--bind', here, at(there));
}
for (const [path, content] of Object.entries(files)) {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content, { mode: content.startsWith('#!') ? 0o755 : 0o600 });
}
enter();
console.log('ready');
process.execve!('/usr/bin/tini', ['tini', '--', 'sleep', 'infinity'], {});

function mountKernelFileSystems(): void {
  run('mount', '-t', 'proc', 'proc', at('proc'));
  run('mount', '-t', 'sysfs', 'sysfs', at('sys'));
  run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', at('run'));
  run('mount', '-t', 'tmpfs', 'tmpfs', at('tmp'));
  // The cgroup namespace makes the node's own cgroups the roots of these.
  run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', at('sys/fs/cgroup'));
  const hierarchies = [...CONTROLLERS.map((one) => [one, one]), ['systemd', 'none,name=systemd']];
  for (const [folder, options] of hierarchies) {
    mkdirSync(at(`sys/fs/cgroup/${folder}`));
    run('mount', '-t', 'cgroup', '-o', options!, 'cgroup', at(`sys/fs/cgroup/${folder}`));
  }
}

function mountDevices(): void {
  run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', at('dev'));
  for (const folder of ['pts', 'shm', 'net', 'mqueue']) mkdirSync(at(`dev/${folder}`));
  run('mount', '-t', 'devpts', '-o', 'newinstance,ptmxmode=0666,mode=620,gid=5', 'devpts', at('dev/pts'));
  run('mount', '-t', 'tmpfs', 'tmpfs', at('dev/shm'));
  run('mount', '-t', 'mqueue', 'mqueue', at('dev/mqueue'));
  for (const [device, [major, minor]] of Object.entries(DEVICES)) {
    run('mknod', '-m', '666', at(`dev/${device}`), 'c', `${major}`, `${minor}`);
  }
  for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, at(`dev/${link}`));
}

function makeMountPoint(here: string, there: string): void {
  const isFolder = statSync(here).isDirectory();
  mkdirSync(isFolder ? there : dirname(there), { recursive: true });
  if (!isFolder) appendFileSync(there, '');
}

/** Not chroot: virt-handler enters the mount namespace of process 1, which is at its root then, wherever that process is. */
function enter(): void {
  mkdirSync(at('oldroot'), { recursive: true });
  process.chdir(root);
  run('pivot_root', '.', 'oldroot');
  process.chdir('/');
  // Mounts of pods go on to the node and back (mountPropagation: Bidirectional).
  run('mount', '--make-rshared', '/');
  run('umount', '-l', '/oldroot');
}

function run(file: string, ...args: readonly string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
