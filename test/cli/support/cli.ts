import type { ExitStatus } from '../../../cli/errors.ts';
import { run } from '../../../cli/program.ts';

export interface Ran {
  readonly status: ExitStatus;
  /** What was printed: the answer. */
  readonly out: string;
  /** What went on beside it, and errors. */
  readonly err: string;
}

export interface CliOptions {
  readonly kubeconfig: string;
  readonly columns?: number;
  readonly hasColour?: boolean;
}

/** Runs a command line in this process, as a user with this kubeconfig would. */
export async function cli(
  { kubeconfig, columns = 120, hasColour = false }: CliOptions,
  ...args: string[]
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    columns,
    hasColour,
    print: (text: string) => void out.push(text),
    progress: (text: string) => void err.push(text),
  };
  const status = await run(args, terminal, { KUBECONFIG: kubeconfig });
  return { status, out: out.join('\n'), err: err.join('\n') };
}
