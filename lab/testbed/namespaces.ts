import { run } from './command.ts';

/** Names of the network namespaces of the testbed with this prefix. */
export async function namespacesOf(prefix: string): Promise<string[]> {
  const listed = await run('ip', ['netns', 'list']);
  const names = listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  return names.filter((name) => name.startsWith(`${prefix}-`));
}

/** For what is done to a namespace that may be gone by then. */
export function ignoreGone(error: Error): undefined {
  if (!/No such file or directory/.test(error.message)) throw error;
}
