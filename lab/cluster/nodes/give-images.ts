import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterDescription } from '../description.ts';
import { importImages } from './enter.ts';

/** Gives all nodes of a cluster that stands the images of an archive. */
export async function giveImages({ nodes, logs }: ClusterDescription, archive: string): Promise<void> {
  for (const node of nodes) {
    // The folder is the node's /var/lib/containerd.
    const here = join(node.directory, 'containerd/given.tar');
    await copyFile(archive, here);
    await importImages(node, '/var/lib/containerd/given.tar', logs);
    await rm(here);
  }
}
