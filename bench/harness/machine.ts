import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../../lab/testbed/command.ts';

/** Where and with what something was measured; without these a figure is worth nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Processes that wanted a core in the minute before: at most the benchmark's own on a quiet machine. */
  readonly load: number;
  /** Linux shares the cores between sessions, and heeds `nice` only within one (sched(7)): nodes are not ahead then. */
  readonly autogroup: boolean;
  readonly kernel: string;
  readonly node: string;
  readonly ovn: string;
  readonly ovs: string;
  /** Short hash, with `+` where files differ from it. */
  readonly commit: string;
}

const AUTOGROUP = '/proc/sys/kernel/sched_autogroup_enabled';

export async function machine(): Promise<Machine> {
  const [commit, changes] = [await run('git', ['rev-parse', '--short', 'HEAD']), await run('git', ['status', '-s'])];
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0] ?? 0,
    autogroup: existsSync(AUTOGROUP) && readFileSync(AUTOGROUP, 'utf8').trim() === '1',
    kernel: release(),
    node: process.version,
    ovn: await version('ovn-nbctl'),
    ovs: await version('ovsdb-server'),
    commit: changes === '' ? commit : `${commit}+`,
  };
}

async function version(program: string): Promise<string> {
  return /\d+\.\d+\.\d+/.exec(await run(program, ['--version']))?.[0] ?? 'unknown';
}
