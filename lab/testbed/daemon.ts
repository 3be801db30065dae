import { join } from 'node:path';
import { AHEAD_OF_THE_CONTROL_PLANE, runIn } from './command.ts';

/** One of the programs of Open vSwitch or OVN, in the background of a namespace. */
export interface Daemon {
  readonly netns: string;
  readonly program: string;
  /** Its sockets, pid file and log go here. */
  readonly folder: string;
  /** Name of the pid file and log, where one folder holds two of the same program. */
  readonly name?: string;
}

/** Starts a daemon; resolves when it says that it is ready, which is when it goes to the background. */
export async function startDaemon({ netns, program, folder, name = program }: Daemon, args: string[]): Promise<void> {
  const file = join(folder, name);
  const common = ['--detach', '--no-chdir', `--pidfile=${file}.pid`, `--log-file=${file}.log`, '-vconsole:off'];
  await runIn(netns, 'nice', [...AHEAD_OF_THE_CONTROL_PLANE, program, ...common, ...args], {
    OVS_RUNDIR: folder,
    OVN_RUNDIR: folder,
  });
}
