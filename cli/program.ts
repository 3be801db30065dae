import { Argument, Command as Commander, CommanderError, InvalidArgumentError, Option } from 'commander';
import { TryAgainError } from '../handover/decision/errors.ts';
import { bundle } from './bundle/command.ts';
import { ApiError } from './cluster/api.ts';
import { WAYS } from './cluster/ovn-connection.ts';
import { Session, type SessionOptions } from './cluster/session.ts';
import { type Command, OUTPUTS, type Output } from './command.ts';
import { printCompletion } from './completion/command.ts';
import { SCRIPTS, SHELLS, type Shell } from './completion/scripts.ts';
import { doctor } from './doctor/command.ts';
import { CommandError, EXIT, type ExitStatus } from './errors.ts';
import { explain } from './explain/command.ts';
import { history } from './history/command.ts';
import type { Terminal } from './output/terminal.ts';
import { beside } from './output/wrap.ts';
import { remove } from './remove/command.ts';
import { resync } from './resync/command.ts';
import { status } from './status/command.ts';

const EXIT_STATUSES = [
  '0 all is as it should be, or done',
  '1 something is not',
  '2 wrong command line, or not installed',
  '3 the cluster or OVN is not reached, or does not let you look',
  '4 not finished: run it again',
].join('\n');

/** What the scripts for shells, and kubectl, ask; its arguments are a command line that is not finished. */
const COMPLETE = '__complete';

interface GlobalOptions extends SessionOptions {
  readonly output: Output;
}

/** Runs a command line. @returns the exit status */
export async function run(args: readonly string[], terminal: Terminal, env: NodeJS.ProcessEnv): Promise<ExitStatus> {
  let exit: ExitStatus = EXIT.ok;
  const program = programFor(terminal, env, (status) => {
    exit = status;
  });
  if (args[0] === COMPLETE) {
    await printCompletion(program, args.slice(1), terminal, env);
    return EXIT.ok;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (error) {
    return failed(error, terminal);
  }
}

/** The commands and their options. */
export function programFor(terminal: Terminal, env: NodeJS.ProcessEnv, end: (status: ExitStatus) => void): Commander {
  const program = new Commander('ovn-handover')
    .description('Live migration of KubeVirt VMs on OVN: check before, see during, know afterwards, and take it out.')
    .option('--kubeconfig <file>', 'the kubeconfig; by default KUBECONFIG, or ~/.kube/config')
    .option('--context <name>', 'the context of the kubeconfig; by default its current one')
    .addOption(new Option('-o, --output <format>', 'tables for people, or JSON').choices(OUTPUTS).default('table'))
    .addOption(
      new Option('--ovn <way>', "how to reach OVN's databases: by their remotes, through the API server, or either")
        .choices(WAYS)
        .default('auto'),
    )
    .addHelpText('after', () => `\n${beside('Exit status: ', EXIT_STATUSES, terminal.columns)}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.progress(text.trimEnd()),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    });
  const working =
    <Args extends unknown[]>(work: (command: Command, ...args: Args) => Promise<ExitStatus>) =>
    async (...args: Args) => {
      const { output, ...options } = program.opts<GlobalOptions>();
      await using session = new Session(options, env);
      end(await work({ session, terminal, output }, ...args));
    };

  program
    .command('doctor')
    .description('before and after installing: what keeps migrations from working, or will, and how to mend it')
    .option('--no-probe', 'send no event through the broker')
    .action(working(doctor));
  program
    .command('status')
    .description('each VM that opted in: nodes, ports, binding, migration, gates, rule, and whether the rows are right')
    .argument('[vm]', 'NAMESPACE/VM')
    .action(working(status));
  program
    .command('explain')
    .description('what is read of a VM, which rule holds and why, and what each function would write now')
    .argument('<vm>', 'NAMESPACE/VM')
    .action(working(explain));
  program
    .command('resync')
    .description('the sweep that reconcile makes every two minutes, now; it writes nothing unless it is told to')
    .argument('[vm]', 'NAMESPACE/VM; without one every VM with a record of ours or a migration')
    .option('--write', 'make the changes', false)
    .action(working(resync));
  program
    .command('history')
    .description('how past migrations of a VM went, of which KubeVirt keeps the last five')
    .argument('<vm>', 'NAMESPACE/VM')
    .action(working(history));
  program
    .command('remove')
    .description('the whole way out, in an order in which no VM loses its network; shown only, unless --yes is given')
    .option('--yes', 'do it', false)
    .option('--skip-ovn', 'wait for nothing, and leave the ports in OVN as they are: where OVN is gone for good', false)
    .option('--timeout <seconds>', 'how long to wait for migrations, ports and functions to end', seconds, 900)
    .action(working(remove));
  program
    .command('bundle')
    .description('all of the above with logs, objects and rows in one archive, Secrets left out')
    .option('--file <file>', 'where to write it')
    .action(working(bundle));
  program
    .command('completion')
    .description('what your shell has to read to complete these commands: source <(ovn-handover completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => terminal.print(SCRIPTS[shell]));
  return program;
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0) return number;
  throw new InvalidArgumentError('a number of seconds is expected');
}

function failed(error: unknown, terminal: Terminal): ExitStatus {
  // commander has said by itself what is wrong with a command line, and what was asked for by --help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { message, status } = failureOf(error);
  terminal.progress(`ovn-handover: ${message}`);
  return status;
}

function failureOf(error: unknown): { readonly message: string; readonly status: ExitStatus } {
  if (error instanceof CommandError) return error;
  if (error instanceof TryAgainError) return { message: error.message, status: EXIT.unreachable };
  if (error instanceof ApiError) {
    const forbidden = error.status === 401 || error.status === 403;
    const hint = forbidden ? ' (this command needs a kubeconfig that may)' : '';
    return { message: `${error.message}${hint}`, status: EXIT.unreachable };
  }
  throw error;
}
