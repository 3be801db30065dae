import type { Command, Option } from 'commander';

/** What may come next on a command line. */
export interface Completion {
  readonly words: readonly string[];
  /** A VM may come, too: whoever asks the cluster has their names. */
  readonly isVm: boolean;
}

/**
 * @param typed words after the program's name, the last of them unfinished, or empty
 */
export function complete(program: Command, typed: readonly string[]): Completion {
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  const named = before.find((word) => program.commands.some((command) => command.name() === word));
  const command = program.commands.find((each) => each.name() === named);
  const options = [...program.options, ...(command?.options ?? [])];
  const asked = options.find((option) => isNamed(option, before.at(-1)));
  const starting = (words: readonly string[]) => words.filter((word) => word.startsWith(current));
  if (asked && takesValue(asked)) return { words: starting(asked.argChoices ?? []), isVm: false };
  if (current.startsWith('-')) return { words: starting(options.flatMap(({ long }) => long ?? [])), isVm: false };
  if (command === undefined) return { words: starting(namesOf(program)), isVm: false };
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  const isVm = command.registeredArguments[0]?.name() === 'vm' && before.at(-1) === named;
  return { words: starting(before.at(-1) === named ? choices : []), isVm };
}

function namesOf({ commands }: Command): string[] {
  return commands.map((command) => command.name());
}

function isNamed({ short, long }: Option, word: string | undefined): boolean {
  return word !== undefined && (word === short || word === long);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}
