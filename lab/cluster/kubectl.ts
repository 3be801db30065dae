import { run } from '../testbed/command.ts';
import { binary } from './binaries.ts';

/** Runs kubectl to its end and gives what it wrote to stdout. */
export async function kubectl(kubeconfig: string, ...args: readonly string[]): Promise<string> {
  return run(binary('kubectl'), ['--kubeconfig', kubeconfig, ...args]);
}
