import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const GONE_WITHIN_MS = 10_000;

/** The machine's cgroup hierarchies of version 1. */
export function hierarchies(): string[] {
  return globSync(`${ROOT}/*/`).filter((folder) => existsSync(join(folder, 'tasks')));
}

/** Makes a cgroup in each hierarchy. Only a cpuset that has cores and memory takes a process (cpusets(7)). */
export async function makeCgroups(path: string): Promise<void> {
  const names = path.split('/');
  for (const hierarchy of hierarchies()) {
    for (const depth of names.keys()) {
      const folder = join(hierarchy, ...names.slice(0, depth + 1));
      await mkdir(folder, { recursive: true });
      for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((one) => existsSync(join(folder, one)))) {
        await writeFile(join(folder, file), await readFile(join(folder, '..', file)));
      }
    }
  }
}

/** A command that runs another in these cgroups. */
export function inCgroups(path: string, command: readonly string[]): string[] {
  const folders = hierarchies().map((folder) => `${folder}/${path}`);
  return [
    'sh',
    '-c',
    `for f in ${folders.join(' ')}; do echo $$ >$f/cgroup.procs || exit; done; exec "$@"`,
    'sh',
    ...command,
  ];
}

/** Removes cgroups with all below them; they are free as soon as the last process in them has been buried. */
export async function removeCgroups(path: string): Promise<void> {
  const giveUpAt = Date.now() + GONE_WITHIN_MS;
  for (const hierarchy of hierarchies()) {
    for (;;) {
      // The deepest first.
      const folders = globSync(join(hierarchy, path, '**/')).sort((a, b) => b.length - a.length);
      if (folders.length === 0) break;
      const failed = (await Promise.allSettled(folders.map((folder) => rmdir(folder)))).find(isBusy);
      if (failed && Date.now() > giveUpAt) throw new Error(`${join(hierarchy, path)} still holds processes.`);
      await sleep(20);
    }
  }
}

function isBusy(result: PromiseSettledResult<void>): boolean {
  return result.status === 'rejected' && (result.reason as NodeJS.ErrnoException).code === 'EBUSY';
}
