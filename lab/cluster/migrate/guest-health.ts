import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guestAnswers, showsDamage } from '../../guest/console.ts';
import type { GuestHealth } from '../../guest/guest.ts';
import type { ClusterNode } from '../description.ts';
import { processesOn } from '../nodes/processes.ts';

/** Looks at a VM's guest from behind, by the serial console that virt-launcher keeps. */
export async function guestHealth(vmiUid: string, node: ClusterNode): Promise<GuestHealth> {
  const launcher = await launcherOf(vmiUid, node);
  if (launcher === undefined) return 'gone';
  // Its file system, seen from outside, since a path of a socket has at most 107 bytes.
  const console = join('/proc', launcher, 'root/var/run/kubevirt-private', vmiUid, 'virt-serial0');
  if (showsDamage(await readFile(`${console}-log`, 'utf8').catch(() => ''))) return 'panicked';
  return (await guestAnswers(console)) ? 'running' : 'hung';
}

/** The process id of the VMI's virt-launcher on a node. */
async function launcherOf(vmiUid: string, node: ClusterNode): Promise<string | undefined> {
  const [launcher] = await processesOn(
    node,
    ({ command }) => !!command[0]?.endsWith('/virt-launcher') && command.includes(vmiUid),
  );
  return launcher && `${launcher.pid}`;
}
