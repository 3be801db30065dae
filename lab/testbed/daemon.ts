import { join } from 'node:path';
import { AHEAD_OF_THE_CONTROL_PLANE } from './command.ts';
import { type OvnSuite, runOvn } from './ovn-suite.ts';

/** One of the programs of Open vSwitch or OVN, in the background of a namespace. */
export interface Daemon {
  readonly netns: string;
  readonly ovn: OvnSuite;
  readonly program: string;
  /** Its sockets, pid file and log go here. */
  readonly folder: string;
  /** Name of the pid file and log, where one folder holds two of the same program. */
  readonly name?: string;
}

/** Starts a daemon; resolves when it says that it is ready, which is when it goes to the background. */
export async function startDaemon(daemon: Daemon, args: string[]): Promise<void> {
  const { netns, ovn, program, folder, name = program } = daemon;
  const files = join(folder, name);
  const common = ['--detach', '--no-chdir', `--pidfile=${files}.pid`, `--log-file=${files}.log`, '-vconsole:off'];
  const command = ['nice', ...AHEAD_OF_THE_CONTROL_PLANE, program, ...common, ...args];
  await runOvn({ netns, ovn }, command, { OVS_RUNDIR: folder, OVN_RUNDIR: folder });
}
