import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestbedDescription } from '../testbed/description.ts';
import { runOvn } from '../testbed/ovn-suite.ts';
import { NB_PORT } from './addresses.ts';
import { fabricOf } from './description.ts';

/** Has the northbound database listen on TCP too, as the southbound one does: pods see no socket of this machine. */
export async function serveNorthbound({ directory, prefix, ovn }: TestbedDescription): Promise<void> {
  const folder = join(directory, 'central');
  const pid = (await readFile(join(folder, 'nb.pid'), 'utf8')).trim();
  const server = join(folder, `ovsdb-server.${pid}.ctl`);
  const command = ['ovs-appctl', '-t', server, 'ovsdb-server/add-remote', `ptcp:${NB_PORT}:0.0.0.0`];
  await runOvn({ netns: fabricOf({ prefix }), ovn }, command);
}
