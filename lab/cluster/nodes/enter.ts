import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../testbed/command.ts';
import { longRun } from '../build/long-run.ts';
import type { ClusterNode } from '../description.ts';
import { inCgroups } from './cgroups.ts';

const NAMESPACES = ['mount', 'uts', 'ipc', 'net', 'pid', 'cgroup'].map((one) => `--${one}`);
const PATH = '/opt/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where the process id, as this machine has it, of a node's first process stands. */
export function firstProcessFile({ directory }: ClusterNode): string {
  return join(directory, 'first-process');
}

/** The command that runs a command on a node, in all its namespaces and cgroups. */
export async function inNode(node: ClusterNode, command: readonly string[]): Promise<[string, ...string[]]> {
  const first = await readFile(firstProcessFile(node), 'utf8');
  const inside = ['env', '-i', `PATH=${PATH}`, 'HOME=/root', ...command];
  const [file, ...args] = inCgroups(node.cgroup, ['nsenter', '--target', first, ...NAMESPACES, '--', ...inside]);
  return [file!, ...args];
}

/** Runs a command on a node to its end and gives what it wrote to stdout. */
export async function runInNode(node: ClusterNode, command: readonly string[]): Promise<string> {
  const [file, ...args] = await inNode(node, command);
  return run(file, args);
}

/** Gives a node the images of an archive, which is there at `place`. */
export async function importImages(node: ClusterNode, place: string, logs: string): Promise<void> {
  const command = await inNode(node, ['ctr', '--namespace', 'k8s.io', 'images', 'import', '--local', place]);
  await longRun(command, { log: join(logs, `${node.name}-images.log`) });
}
