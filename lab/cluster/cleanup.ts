import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp as cleanUpTestbed } from '../testbed/cleanup.ts';
import { cgroupOf, ovnFolder } from './description.ts';
import { removeCgroups } from './nodes/cgroups.ts';

/**
 * Ends all that belongs to a cluster: every process is in one of its network namespaces, or in the namespaces of a process
 * there; its mounts end with these. May be called again and again, also over half a cluster. The logs stay.
 */
export async function cleanUp({ directory, prefix }: { directory: string; prefix: string }): Promise<void> {
  await cleanUpTestbed({ directory: ovnFolder(directory), prefix });
  await removeCgroups(cgroupOf({ prefix }));
  const parts = ['cluster.json', 'pki', 'nodes', 'etcd', 'knative', 'network-plugins', 'etcd.sock', 'etcd-peers.sock'];
  for (const part of parts) await rm(join(directory, part), { recursive: true, force: true });
}
