import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Background, type Program } from '../../background.ts';

/** Of what a program said, when it failed. */
const LAST_LINES = 15;

/**
 * Runs a program that may take minutes to its end; the kernel ends it with us.
 *
 * @param log file that its output is appended to
 * @throws Error with the end of its output when it ends with a code other than 0
 */
export async function longRun(
  [file, ...args]: readonly [string, ...string[]],
  { log, env = process.env, ...rest }: Partial<Omit<Program, 'file' | 'args'>> & { log: string },
): Promise<void> {
  await mkdir(dirname(log), { recursive: true });
  const ending = await new Background({ file, args, env, ...rest }, log).ended;
  if (ending === 'exit code 0') return;
  const said = (await readFile(log, 'utf8')).trim().split('\n').slice(-LAST_LINES).join('\n');
  throw new Error(`'${[file, ...args].join(' ').slice(0, 200)}' ended with ${ending}:\n${said}\n(all of it: ${log})`);
}
