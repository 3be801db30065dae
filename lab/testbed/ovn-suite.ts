import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './command.ts';

/** Debian suites whose OVN and Open vSwitch a testbed can run: OVN 23.03 (the machine's own), 25.03, and 26.03 or newer. */
export const OVN_SUITES = ['bookworm', 'trixie', 'sid'] as const;
export type OvnSuite = (typeof OVN_SUITES)[number];

const FETCH = fileURLToPath(new URL('fetch-ovn.sh', import.meta.url));

/** Brings a suite's programs to the machine, if they are not there yet. */
export async function fetchSuite(suite: OvnSuite, onProgress: (step: string) => void): Promise<void> {
  const root = rootOf(suite);
  if (root === undefined || existsSync(root)) return;
  onProgress(`fetching the OVN of Debian ${suite}, once, which takes about a minute`);
  const [code] = await once(spawn(FETCH, [suite, root], { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`The OVN of Debian ${suite} could not be fetched; the lines above say why.`);
}

/**
 * Like `runIn`, with the programs and libraries of a suite. They lie over the machine's in the mount namespace that `ip
 * netns exec` gives each command, so paths mean the same on both sides and there is nothing to unmount, whatever ends it.
 */
export async function runOvn(
  { netns, ovn }: { netns: string; ovn: OvnSuite },
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const root = rootOf(ovn);
  const over = root === undefined ? [] : ['sh', '-c', 'mount --bind "$0/usr" /usr && exec "$@"', root];
  return run('ip', ['netns', 'exec', netns, ...over, ...command], env);
}

function rootOf(suite: OvnSuite): string | undefined {
  return suite === 'bookworm' ? undefined : fileURLToPath(new URL(`../.cache/ovn-${suite}`, import.meta.url));
}
