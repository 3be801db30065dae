import type { Command as Commander } from 'commander';
import { KINDS } from '../cluster/kinds.ts';
import { Session } from '../cluster/session.ts';
import type { Terminal } from '../output/terminal.ts';
import { complete } from './complete.ts';

/** Of cobra, which kubectl's own completion of plugins follows: no names of files. */
const NO_FILES = ':4';

/** Prints what may come next, a word in a line. */
export async function printCompletion(
  program: Commander,
  typed: readonly string[],
  terminal: Terminal,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { words, isVm } = complete(program, typed);
  const vms = isVm ? await vmNames(env).catch(() => []) : [];
  const current = typed.at(-1) ?? '';
  for (const word of [...words, ...vms.filter((name) => name.startsWith(current))]) terminal.print(word);
  terminal.print(NO_FILES);
}

async function vmNames(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  await using session = new Session({ ovn: 'auto' }, env);
  const instances = await session.api.list(KINDS.vmis);
  return instances.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`);
}
