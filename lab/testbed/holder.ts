import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespacesOf } from './namespaces.ts';

/** Who holds the names of a testbed on this machine. */
export interface Holder {
  /** Folder of the testbed's sockets and logs. */
  readonly directory: string;
  /** The clone that it was started from. */
  readonly clone: string;
  /** The process that started it, and when that was born, since another may have its number by now. */
  readonly pid: number;
  readonly born: string;
  readonly since: string;
  /** What ends it, run in the clone, once that process is gone. */
  readonly down: string;
}

/** Somebody else holds the names: the message says who, and how to end it. */
class HeldError extends Error {
  constructor(prefix: string, holder: Holder) {
    const { clone, pid, since, down } = holder;
    super(
      `a testbed named ${prefix} stands already on this machine, started in ${clone} at ${since}. To end it: ` +
        (isAlive(holder) ? `kill ${pid}` : `npm --prefix '${clone}' run ${down}`),
    );
    this.name = 'HeldError';
  }
}

/** Beside /run/netns, so that it lives exactly as long as network namespaces do. */
const HOLDERS = '/run/ovn-handover';
const CLONE = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/**
 * Takes the names of a testbed for this process, before anything is made that has them.
 *
 * @throws HeldError when somebody has them
 * @throws Error when namespaces have them, and nothing says whose these are
 */
export async function hold(prefix: string, directory: string, down: string): Promise<void> {
  const holder: Holder = {
    ...{ directory, clone: CLONE, pid: process.pid, born: bornAt(process.pid)! },
    ...{ since: new Date().toISOString(), down },
  };
  await mkdir(HOLDERS, { recursive: true });
  const draft = `${fileOf(prefix)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder));
  try {
    // A link is made whole or not at all, and by one process only.
    await link(draft, fileOf(prefix)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      const other = await holderOf(prefix);
      if (other !== undefined) throw new HeldError(prefix, other);
      await letGo(prefix);
      await link(draft, fileOf(prefix));
    });
    const [stray] = await namespacesOf(prefix);
    if (stray === undefined) return;
    await letGo(prefix);
    throw new Error(`there is a network namespace ${stray}, and nothing says whose. To end it: npm run ${down}`);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Who holds the names, if somebody still does: a process that lives, or a testbed that was left standing. */
async function holderOf(prefix: string): Promise<Holder | undefined> {
  const text = await readFile(fileOf(prefix), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const holder = JSON.parse(text) as Holder;
  return isAlive(holder) || (await namespacesOf(prefix)).length > 0 ? holder : undefined;
}

/** @throws HeldError when the names are those of a testbed with another directory */
export async function requireOurs(prefix: string, directory: string): Promise<void> {
  const holder = await holderOf(prefix);
  if (holder !== undefined && holder.directory !== directory) throw new HeldError(prefix, holder);
}

export async function letGo(prefix: string): Promise<void> {
  await rm(fileOf(prefix), { force: true });
}

function fileOf(prefix: string): string {
  return join(HOLDERS, `${prefix}.json`);
}

function isAlive({ pid, born }: Holder): boolean {
  return bornAt(pid) === born;
}

/** When a process was started, in ticks since the machine was: field 22 of proc(5)'s stat; the second may hold blanks. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
