import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface Entry {
  readonly name: string;
  readonly content: string;
}

/** The files, in a folder of their own, as a compressed tar archive. */
export async function archiveOf(folder: string, entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content } of entries) archive.entry({ name: `${folder}/${name}` }, content);
  archive.finalize();
  return gzipSync(await buffer(archive));
}
