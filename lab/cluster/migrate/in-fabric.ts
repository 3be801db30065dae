import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fabricOf, readCluster } from '../description.ts';

const INSIDE = 'OVN_HANDOVER_IN_FABRIC';

/** Has a command run where the API server is reached: this program again, in the control plane's namespace. */
export function inFabric<T>(action: (options: T) => Promise<void>): (options: T) => Promise<void> {
  return async (options) => {
    if (process.env[INSIDE] !== undefined) return action(options);
    const { testbed } = await readCluster();
    const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const child = spawn('ip', ['netns', 'exec', fabricOf(testbed), ...program], {
      stdio: 'inherit',
      env: { ...process.env, [INSIDE]: '1' },
    });
    // Ctrl-C goes to both; the other one tells what comes of it.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    const [code] = await once(child, 'exit');
    process.exitCode = code ?? 1;
  };
}
