import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterNode } from '../description.ts';

/** A process of a node, those in its containers among them. */
export interface NodeProcess {
  /** As this machine has it. */
  readonly pid: number;
  readonly command: readonly string[];
  readonly environment: readonly string[];
}

/** The processes of a node that a condition holds for. */
export async function processesOn(
  { cgroup }: ClusterNode,
  condition: (process: NodeProcess) => boolean,
): Promise<NodeProcess[]> {
  const found: NodeProcess[] = [];
  for (const folder of globSync('/proc/[0-9]*')) {
    // It may end meanwhile.
    const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
    const cgroups = (await read('cgroup')).split('\n');
    if (!cgroups.some((line) => line.endsWith(`/${cgroup}`) || line.includes(`/${cgroup}/`))) continue;
    const words = async (name: string) => (await read(name)).split('\0').filter(Boolean);
    const process = {
      pid: Number(folder.slice('/proc/'.length)),
      command: await words('cmdline'),
      environment: await words('environ'),
    };
    if (condition(process)) found.push(process);
  }
  return found;
}
